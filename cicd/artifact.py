"""Write what a build hands to Retrain: which image it has made, and the request that asks for a run with it.

    python cicd/artifact.py --repository URI --tag TAG --digest sha256:... --dataset NAME --to FOLDER

imageDetail.json, in the form of CodePipeline's ECR source, is for the Lambda action; retrain.json is what the
native action starts with. Both name the image by its digest: a tag could be moved in between.
"""

import argparse
import json
import re
import sys
from pathlib import Path

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main(arguments: list[str] | None = None) -> int:
    """Write the two files; gives the exit code."""
    parser = argparse.ArgumentParser(description="Write imageDetail.json and retrain.json.")
    parser.add_argument("--repository", required=True, help="the repository's URI, without tag")
    parser.add_argument("--tag", required=True, help="the image's tag: the commit")
    parser.add_argument("--digest", required=True, help="the image's digest")
    parser.add_argument("--dataset", required=True, help="the dataset's name")
    parser.add_argument("--to", type=Path, required=True, help="folder for the files; it is made")
    given = parser.parse_args(arguments)
    if not _DIGEST.fullmatch(given.digest):
        sys.stderr.write(f"The digest is {given.digest!r}, not sha256:...: has the image been pushed?\n")
        return 1
    image = f"{given.repository}@{given.digest}"
    files = {
        "imageDetail.json": {"ImageURI": image, "ImageDigest": given.digest, "ImageTags": [given.tag]},
        "retrain.json": {
            "dataset": {"name": given.dataset},
            "trigger": {"kind": "codepipeline", "id": given.tag},
            "training": {"image_uri": image, "image_tag": given.tag},
        },
    }
    given.to.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (given.to / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
