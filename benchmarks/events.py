"""Events of real size for the benchmarks: distinct, seeded, clean; and the same with an attack in it."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

WORDS = [
    "order",
    "customer",
    "delivery",
    "please",
    "leave",
    "the",
    "parcel",
    "with",
    "a",
    "neighbour",
    "if",
    "nobody",
    "answers",
    "it's",
    "fine",
    "thanks",
    "(blue",
    "door,",
    "2nd",
    "floor)",
    "we'll",
    "collect",
    "on",
    "Monday",
    "invoice",
    "number",
    "price",
    "total",
    "of",
    "and",
    "for",
    "with",
    "size",
    "colour",
    "large",
    "small",
    "refund",
    "exchange",
    "next",
    "week",
    "morning",
    "evening",
    "street",
    "house",
    "city",
    "garden",
    "number",
    "two",
]
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{0} Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
)
ATTACK = "x' UNION SELECT name, password FROM users -- "

ORDER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "items"],
    "properties": {
        "customer": {"type": "string", "minLength": 1, "maxLength": 80},
        "email": {"type": "string", "maxLength": 200},
        "note": {"type": "string"},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku", "quantity", "price"],
                "properties": {
                    "sku": {"type": "string", "pattern": "^[A-Z]-[0-9]{4}$"},
                    "quantity": {"type": "integer", "minimum": 1},
                    "price": {"type": "number", "minimum": 0},
                    "title": {"type": "string", "maxLength": 200},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def prose(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def order(rng: random.Random, size: int) -> dict[str, Any]:
    """An order of about `size` bytes of JSON."""
    items: list[dict[str, Any]] = []
    made = {"customer": f"{prose(rng, 2)} {rng.randrange(10**6)}", "email": f"anna.{rng.randrange(10**6)}@example.org", "note": prose(rng, 25), "items": items}
    while len(json.dumps(made)) < size:
        for _ in range(1 if size < 4000 else 20):
            items.append(
                {"sku": f"A-{rng.randrange(1000, 9999)}", "quantity": rng.randrange(1, 9), "price": rng.randrange(100, 9999) / 100, "title": prose(rng, 6)}
            )
    return made


def headers(rng: random.Random) -> dict[str, str]:
    version = rng.randrange(100, 140)
    address = ".".join(str(rng.randrange(1, 255)) for _ in range(4))
    claims = {
        "iss": "https://login.example.com/",
        "sub": f"auth0|{rng.randbytes(12).hex()}",
        "aud": "shop",
        "iat": 1795521600,
        "exp": 1795525200,
        "scope": "orders:write profile",
    }
    token = ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"RS256","typ":"JWT","kid":"k1"}', json.dumps(claims).encode(), rng.randbytes(256))
    )
    return {
        "Accept": "application/json, text/plain, */*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en-GB,en;q=0.9,de;q=0.8,en-US;q=0.7",
        "Authorization": f"Bearer {token}",
        "CloudFront-Forwarded-Proto": "https",
        "CloudFront-Is-Desktop-Viewer": "true",
        "CloudFront-Viewer-Country": "GB",
        "Content-Type": "application/json",
        "Cookie": f"session={rng.randbytes(16).hex()}; theme=dark; _ga=GA1.2.{rng.randrange(10**9)}.{rng.randrange(10**9)}",
        "Host": "shop.example.com",
        "Origin": "https://shop.example.com",
        "Referer": f"https://shop.example.com/basket?ref={rng.randrange(10**6)}",
        "Sec-Ch-Ua": f'"Chromium";v="{version}", "Not A;Brand";v="99", "Google Chrome";v="{version}"',
        "Sec-Ch-Ua-Mobile": "?0",
        "Sec-Ch-Ua-Platform": '"Windows"',
        "Sec-Fetch-Dest": "empty",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-origin",
        "User-Agent": rng.choice(AGENTS).format(version),
        "Via": "2.0 3f5b8c2e1d0a4b6c8e7f.cloudfront.net (CloudFront)",
        "X-Amz-Cf-Id": base64.urlsafe_b64encode(rng.randbytes(40)).decode(),
        "X-Amzn-Trace-Id": f"Root=1-{rng.randrange(16**8):08x}-{rng.randrange(16**24):024x}",
        "X-Forwarded-For": f"{address}, 130.176.1.{rng.randrange(1, 255)}",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }


def rest(rng: random.Random, body: str) -> dict[str, Any]:
    sent = headers(rng)
    query = {"page": str(rng.randrange(50)), "sort": "name", "customer": f"c{rng.randrange(10**6)}"}
    return {
        "resource": "/shops/{shop}/orders",
        "path": f"/shops/{rng.randrange(1000)}/orders",
        "httpMethod": "POST",
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "pathParameters": {"shop": str(rng.randrange(1000))},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "q7x2k1",
            "resourcePath": "/shops/{shop}/orders",
            "httpMethod": "POST",
            "extendedRequestId": base64.b64encode(rng.randbytes(11)).decode(),
            "requestTime": "24/Nov/2026:21:36:24 +0000",
            "path": "/prod/shops/17/orders",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "shop",
            "requestTimeEpoch": 1764020184000 + rng.randrange(10**6),
            "requestId": rng.randbytes(16).hex(),
            "identity": {
                "cognitoIdentityPoolId": None, "accountId": None, "cognitoIdentityId": None, "caller": None, "sourceIp": sent["X-Forwarded-For"].split(",")[0],
                "principalOrgId": None, "accessKey": None, "cognitoAuthenticationType": None, "cognitoAuthenticationProvider": None, "userArn": None,
                "userAgent": sent["User-Agent"], "user": None,
            },
            "domainName": "shop.example.com",
            "deploymentId": "m1n2o3",
            "apiId": "a1b2c3d4e5",
        },
        "body": body,
        "isBase64Encoded": False,
    }  # fmt: skip


def http(rng: random.Random, body: str) -> dict[str, Any]:
    sent = {name.lower(): value for name, value in headers(rng).items()}
    sent.pop("cookie")
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": f"page={rng.randrange(50)}&sort=name",
        "cookies": [f"session={rng.randbytes(16).hex()}", "theme=dark"],
        "headers": sent,
        "queryStringParameters": {"page": str(rng.randrange(50)), "sort": "name"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "shop.example.com",
            "domainPrefix": "shop",
            "http": {"method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "198.51.100.24", "userAgent": sent["user-agent"]},
            "requestId": rng.randbytes(11).hex(),
            "routeKey": "POST /orders",
            "stage": "$default",
            "time": "24/Nov/2026:21:36:24 +0000",
            "timeEpoch": 1764020184000 + rng.randrange(10**6),
        },
        "body": body,
        "isBase64Encoded": False,
    }


def alb(rng: random.Random, body: str) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/73e2d6bc24d8a067"}},
        "httpMethod": "POST",
        "path": "/orders",
        "queryStringParameters": {"page": str(rng.randrange(50)), "sort": "name"},
        "headers": {name.lower(): value for name, value in headers(rng).items()},
        "body": body,
        "isBase64Encoded": False,
    }


def sqs(rng: random.Random, body: str, records: int = 10) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": rng.randbytes(16).hex(),
                "receiptHandle": base64.b64encode(rng.randbytes(130)).decode(),
                "body": body.replace("anna.", f"anna.{index}", 1),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(1764020184000 + rng.randrange(10**6)),
                    "SenderId": "AROAEXAMPLEID:orders-api",
                    "ApproximateFirstReceiveTimestamp": str(1764020184000 + rng.randrange(10**6)),
                },
                "messageAttributes": {"kind": {"stringValue": "order", "stringListValues": [], "binaryListValues": [], "dataType": "String"}},
                "md5OfBody": rng.randbytes(16).hex(),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
                "awsRegion": "eu-west-1",
            }
            for index in range(records)
        ]
    }


def s3(rng: random.Random, body: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventTime": "2026-11-24T21:36:24.000Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:AROAEXAMPLEID:uploader"},
                "requestParameters": {"sourceIPAddress": "198.51.100.24"},
                "responseElements": {"x-amz-request-id": rng.randbytes(8).hex().upper(), "x-amz-id-2": base64.b64encode(rng.randbytes(48)).decode()},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "new-files",
                    "bucket": {"name": "imports-eu", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::imports-eu"},
                    "object": {
                        "key": f"incoming/2026/11/products+list+{body or rng.randrange(10**6)}.csv",
                        "size": rng.randrange(10**6),
                        "eTag": rng.randbytes(16).hex(),
                        "sequencer": rng.randbytes(9).hex().upper(),
                    },
                },
            }
        ]
    }


CASES: dict[str, tuple[Any, int]] = {
    "REST, 1 KB body": (rest, 1000),
    "HTTP, 1 KB body": (http, 1000),
    "ALB, 1 KB body": (alb, 1000),
    "SQS of 10": (sqs, 500),
    "S3": (s3, 0),
    "REST, 100 KB body": (rest, 100_000),
}
"""What is measured: the builder of the event, and the size of its body in bytes."""


def clean(case: str, count: int, seed: int = 7) -> list[str]:
    """The texts of `count` distinct harmless events."""
    build, size = CASES[case]
    rng = random.Random(f"{seed}{case}")
    return [json.dumps(build(rng, json.dumps(order(rng, size)) if size else "")) for _ in range(count)]


def hostile(case: str, seed: int = 7) -> str:
    """The text of one event of that case with an attack in it."""
    build, size = CASES[case]
    rng = random.Random(f"{seed}{case}")
    made = order(rng, size or 100)
    made["note"] = ATTACK
    return json.dumps(build(rng, json.dumps(made) if size else "../../../etc/passwd"))


def nested(event: dict[str, Any]) -> list[str]:
    """The JSON texts inside an event, whose parse belongs to the unit."""
    if "Records" in event:
        return [record["body"] for record in event["Records"] if "body" in record]
    return [event["body"]] if event.get("body") else []
