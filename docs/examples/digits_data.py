"""Puts MNIST where the three pipelines look for it: s3://BUCKET/data/mnist."""

from retrain.aws import connect
from retrain.datasets import mnist

BUCKET = "authored-digits"

images = mnist.fetch(say=print).folder
s3 = connect().client("s3")
if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
    s3.create_bucket(Bucket=BUCKET)
for file in sorted(images.glob("*-ubyte")):
    s3.upload_file(str(file), BUCKET, f"data/mnist/MNIST/raw/{file.name}")
