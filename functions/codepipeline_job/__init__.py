"""The function codepipeline_job."""
