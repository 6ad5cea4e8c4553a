"""An order API behind an HTTP API: orders go to DynamoDB.

POST /orders          stores an order and answers its id
GET  /orders/{id}     answers one
GET  /orders?customer=...&sort=...   lists a customer's orders

The policy stands beside it in `serverless-guard.json`, the schema of an order in `schemas/order.json`.
"""

import json
import os
import uuid
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr

from serverless_guard import guard

table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


@guard
def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    if method == "POST":
        return store(json.loads(event["body"], parse_float=Decimal))
    order_id = (event.get("pathParameters") or {}).get("id")
    if order_id:
        return one(order_id)
    return several((event.get("queryStringParameters") or {}).get("customer", ""))


def store(order):
    order["id"] = uuid.uuid4().hex
    order["total"] = sum(item["price"] * item["quantity"] for item in order["items"])
    table.put_item(Item=order, ConditionExpression=Attr("id").not_exists())
    return answer(201, {"id": order["id"], "total": order["total"]})


def one(order_id):
    found = table.get_item(Key={"id": order_id}).get("Item")
    return answer(200, found) if found else answer(404, {"message": "Not Found"})


def several(customer):
    found = table.scan(FilterExpression=Attr("customer").eq(customer))["Items"]
    return answer(200, {"orders": sorted(found, key=lambda order: order["id"])})


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body, default=float)}
