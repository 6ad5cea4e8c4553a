"""An import job: CSV files that land in a bucket go to a table.

It hears of a file from S3 directly, or through an SQS queue, where a bad message does not hold up the good ones
(the event source mapping needs `ReportBatchItemFailures`). The policy stands beside it in `serverless-guard.toml`.
"""

import csv
import io
import json
import os
from urllib.parse import unquote_plus

import boto3

from serverless_guard import guard

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])


@guard
def handler(event, context):
    failed = []
    imported = 0
    for record in event["Records"]:
        try:
            notices = json.loads(record["body"])["Records"] if "body" in record else [record]
            imported += sum(import_file(notice["s3"]) for notice in notices)
        except s3.exceptions.NoSuchKey:
            failed.append({"itemIdentifier": record.get("messageId", "")})
    return {"imported": imported, "batchItemFailures": failed}


def import_file(notice):
    bucket, key = notice["bucket"]["name"], unquote_plus(notice["object"]["key"])
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    with table.batch_writer() as batch:
        for row in rows:
            batch.put_item(Item={"sku": row["sku"], "name": row["name"]})
    return len(rows)
