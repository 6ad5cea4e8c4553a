"""`sample(source, ...)`: an event as AWS writes it, for tests: what a caller chooses is an argument, all else is realistic and fictitious.

    sample("sqs", bodies=[{"order": 1}, {"order": 2}])          sample("apigateway-http", {"order": 1}, path="/orders", headers={"X-Tenant": "blue"})
    sample("s3", key="incoming/red flower.jpg")                 sample("eventbridge", {"order": 1}, kind="Order Placed")
    sample("cognito", {"userAttributes": {"email": "ada@example.com"}}, trigger="PreSignUp_SignUp")

A body that is no string is written as JSON; `bodies` makes a batch. Any other keyword of a builder that you misspell is a TypeError.
"""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
MILLIS, ISO, APACHE = 1795556184000, "2026-11-24T21:36:24.000Z", "24/Nov/2026:21:36:24 +0000"
ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
AGENT, ADDRESS = "shop-app/3.2 (Android 14)", "203.0.113.7"
HEADERS = {
    "Accept": "application/json", "Content-Type": "application/json", "Host": "orders.example.com", "User-Agent": AGENT,
    "X-Amzn-Trace-Id": "Root=1-69248cd8-5f1c2a3461f0b7d92c84ae15", "X-Forwarded-For": f"{ADDRESS}, 130.176.1.9", "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
}  # fmt: skip


def sample(source: str, body: Any = None, **chosen: Any) -> Any:
    """An event of the source of this public name. Raises LookupError for a name that is none."""
    if source not in BUILDERS:
        raise LookupError(f"no sample of `{source}`, known are {', '.join(f'`{name}`' for name in sorted(BUILDERS))}")
    return BUILDERS[source](body, **chosen) if body is not None else BUILDERS[source](**chosen)


def rest(
    body: Any = None, *, method: str = "POST", path: str = "/orders", headers: Any = None, query: Any = None, parameters: Any = None, claims: Any = None
) -> Any:
    """API Gateway REST API."""
    sent = HEADERS | (headers or {})
    return {
        "resource": "/{proxy+}" if parameters is None else "/orders/{id}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": parameters or {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "q7x2k1", "resourcePath": "/{proxy+}", "httpMethod": method, "extendedRequestId": "JKJaXmPLvHcESHA=", "requestTime": APACHE,
            "path": f"/prod{path}", "accountId": ACCOUNT, "protocol": "HTTP/1.1", "stage": "prod", "domainPrefix": "orders", "requestTimeEpoch": MILLIS,
                "requestId": ID,
            "identity": {"cognitoIdentityId": None, "accountId": None, "sourceIp": ADDRESS, "userArn": None, "userAgent": AGENT, "user": None},
            "domainName": "orders.example.com", "deploymentId": "m1n2o3", "apiId": "a1b2c3d4e5",
        } | ({"authorizer": {"claims": claims}} if claims else {}),
        "body": _text(body),
        "isBase64Encoded": False,
    }  # fmt: skip


def http(
    body: Any = None, *, method: str = "POST", path: str = "/orders", headers: Any = None, query: Any = None, cookies: Any = None, claims: Any = None
) -> Any:
    """API Gateway HTTP API."""
    context: dict[str, Any] = {
        "accountId": ACCOUNT, "apiId": "f6g7h8i9j0", "domainName": "orders.example.com", "domainPrefix": "orders",
        "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": ADDRESS, "userAgent": AGENT},
        "requestId": "JKJaXmPLvHcESHA=", "routeKey": f"{method} {path}", "stage": "$default", "time": APACHE, "timeEpoch": MILLIS,
    }  # fmt: skip
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={_quoted(value)}" for name, value in (query or {}).items()),
        "headers": {name.lower(): value for name, value in (HEADERS | (headers or {})).items()},
        "requestContext": context | ({"authorizer": {"jwt": {"claims": claims, "scopes": None}}} if claims else {}),
        "body": _text(body),
        "isBase64Encoded": False,
    }
    return event | ({"queryStringParameters": query} if query else {}) | ({"cookies": cookies} if cookies else {})


def function_url(body: Any = None, **chosen: Any) -> Any:
    """Lambda function URL."""
    event = http(body, **chosen)
    event["routeKey"] = event["requestContext"]["routeKey"] = "$default"
    event["requestContext"] |= {
        "accountId": "anonymous",
        "apiId": "k3l4m5n6o7p8",
        "domainName": f"k3l4m5n6o7p8.lambda-url.{REGION}.on.aws",
        "domainPrefix": "k3l4m5n6o7p8",
    }
    return event


def alb(body: Any = None, *, method: str = "POST", path: str = "/orders", headers: Any = None, query: Any = None, multi: bool = False) -> Any:
    """Application Load Balancer, with `multi` in multi-value mode."""
    sent = {name.lower(): value for name, value in (HEADERS | (headers or {})).items()}
    asked = {name: _quoted(value) for name, value in (query or {}).items()}
    lists = {
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "multiValueQueryStringParameters": {name: [value] for name, value in asked.items()},
    }
    return {
        "requestContext": {"elb": {"targetGroupArn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/orders/73e2d6bc24d8a067"}},
        "httpMethod": method,
        "path": path,
        **(lists if multi else {"headers": sent, "queryStringParameters": asked}),
        "body": _text(body) or "",
        "isBase64Encoded": False,
    }


def lattice(body: Any = None, *, method: str = "POST", path: str = "/orders", headers: Any = None, query: Any = None) -> Any:
    """VPC Lattice, event structure 2."""
    arn = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}"
    return {
        "version": "2.0",
        "path": path,
        "method": method,
        "headers": {name.lower(): [value] for name, value in (HEADERS | (headers or {})).items()},
        "queryStringParameters": {name: [value] for name, value in (query or {}).items()},
        "body": _text(body),
        "isBase64Encoded": False,
        "requestContext": {
            "serviceNetworkArn": f"{arn}:servicenetwork/sn-0bf3f2882e9cc805a", "serviceArn": f"{arn}:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": f"{arn}:targetgroup/tg-6d0ecf831eec9f09", "region": REGION, "timeEpoch": str(MILLIS * 1000),
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0b8276c84697e7339", "type": "AWS_IAM",
                "principal": f"arn:aws:iam::{ACCOUNT}:role/shop"},
        },
    }  # fmt: skip


def lattice_v1(body: Any = None, *, method: str = "POST", path: str = "/orders", headers: Any = None, query: Any = None) -> Any:
    """VPC Lattice, event structure 1."""
    sent = {name.lower(): value for name, value in (HEADERS | (headers or {})).items()}
    return {"raw_path": path, "method": method, "headers": sent, "query_string_parameters": query or {}, "body": _text(body), "is_base64_encoded": False}


def websocket(body: Any = None, *, route: str = "$default", kind: str = "MESSAGE", headers: Any = None, query: Any = None) -> Any:
    """API Gateway WebSocket API; `kind` is CONNECT, MESSAGE or DISCONNECT."""
    event: dict[str, Any] = {
        "requestContext": {
            "routeKey": route, "messageId": "JKJaXfMPLEHcESA=", "eventType": kind, "extendedRequestId": "JKJaXHLvHcESHA=", "requestTime": APACHE,
                "messageDirection": "IN",
            "stage": "prod", "connectedAt": MILLIS, "requestTimeEpoch": MILLIS, "identity": {"sourceIp": ADDRESS, "userAgent": AGENT},
                "requestId": "JKJaXHLvHcESHA=",
            "domainName": f"w1x2y3z4.execute-api.{REGION}.amazonaws.com", "connectionId": "JKJaXcPLvHcCEXQ=", "apiId": "w1x2y3z4",
        },
        "isBase64Encoded": False,
    }  # fmt: skip
    if kind == "MESSAGE":
        return event | {"body": _text(body)}
    sent = HEADERS | (headers or {})
    asked = {"queryStringParameters": query, "multiValueQueryStringParameters": {name: [value] for name, value in query.items()}} if query else {}
    return event | {"headers": sent, "multiValueHeaders": {name: [value] for name, value in sent.items()}} | asked


def cloudfront(body: Any = None, *, method: str = "GET", path: str = "/index.html", query: str = "", headers: Any = None, kind: str = "viewer-request") -> Any:
    """Lambda@Edge; `query` is the query string."""
    sent = {"Host": "www.example.com", "User-Agent": AGENT} | (headers or {})
    request: dict[str, Any] = {
        "clientIp": ADDRESS,
        "headers": {name.lower(): [{"key": name, "value": value}] for name, value in sent.items()},
        "method": method,
        "querystring": query,
        "uri": path,
    }
    if body is not None:
        request["body"] = {"inputTruncated": False, "action": "read-only", "encoding": "base64", "data": _base64(_text(body))}
    config = {
        "distributionDomainName": "d111111abcdef8.cloudfront.net",
        "distributionId": "EDFDVBD6EXAMPLE",
        "eventType": kind,
        "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
    }
    return {"Records": [{"cf": {"config": config, "request": request}}]}


def appsync(arguments: Any = None, *, field: str = "createOrder", kind: str = "Mutation", headers: Any = None, parent: Any = None, claims: Any = None) -> Any:
    """AppSync direct resolver; `parent` is the object that the field belongs to."""
    identity = {
        "sub": "5f1c2a34-61f0-4b7d-92c8-4ae15c0d7e21",
        "username": "ada",
        "sourceIp": [ADDRESS],
        "claims": claims or {"email": "ada@example.com"},
        "groups": None,
    }
    return {
        "arguments": arguments or {},
        "identity": identity,
        "source": parent,
        "request": {"headers": {name.lower(): value for name, value in (HEADERS | (headers or {})).items()}, "domainName": None},
        "prev": None,
        "info": {"selectionSetList": ["id", "note"], "selectionSetGraphQL": "{\n  id\n  note\n}", "parentTypeName": kind, "fieldName": field, "variables": {}},
        "stash": {},
    }


def appsync_template(arguments: Any = None, *, field: str = "orders", kind: str = "Query") -> Any:
    """AppSync through a resolver template that hands its context on."""
    return {
        "typeName": kind,
        "fieldName": field,
        "arguments": arguments or {},
        "identity": {"sub": "5f1c2a34", "username": "ada"},
        "source": None,
        "request": {"headers": {}},
        "prev": None,
    }


def appsync_authorizer(token: str = "a token", *, query: str = "query Orders { orders { id } }", variables: Any = None) -> Any:
    """AppSync Lambda authorizer."""
    context = {
        "apiId": "qwertyuiopasdfghjklzxcvbnm",
        "accountId": ACCOUNT,
        "requestId": ID,
        "queryString": query,
        "operationName": "Orders",
        "variables": variables or {},
    }
    return {"authorizationToken": token, "requestContext": context}


def authorizer(token: str | None = "Bearer a-token", *, headers: Any = None, path: str = "/orders", query: Any = None) -> Any:
    """Authorizer of a REST API: of the kind TOKEN, or with `token=None` of the kind REQUEST."""
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/prod/GET{path}"
    if token is not None:
        return {"type": "TOKEN", "authorizationToken": token, "methodArn": arn}
    event = rest(method="GET", path=path, headers=headers, query=query)
    return {"type": "REQUEST", "methodArn": arn} | {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}


def http_authorizer(token: str = "Bearer a-token", *, headers: Any = None, path: str = "/orders", query: Any = None) -> Any:
    """Authorizer of an HTTP API, payload format 2.0."""
    event = http(method="GET", path=path, headers={"Authorization": token} | (headers or {}), query=query)
    event["requestContext"].pop("authorizer", None)
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:f6g7h8i9j0/$default/GET{path}"
    return {"version": "2.0", "type": "REQUEST", "routeArn": arn, "identitySource": [token]} | {
        name: value for name, value in event.items() if name not in ("body", "isBase64Encoded", "version")
    }


def sqs(body: Any = None, *, bodies: Any = None, queue: str = "orders", group: str = "customer-7", attributes: Any = None) -> Any:
    """SQS messages, of `queue`; one that ends with `.fifo` has message groups."""
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": "d1", "SequenceNumber": "18849496460467696128"} if queue.endswith(".fifo") else {}
    return {
        "Records": [
            {
                "messageId": f"9f0c1f2e-3f6e-4d5b-9b54-{index:012x}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" + "Kx9/rTq2" * 20,
                "body": _text(each) or "",
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(MILLIS),
                    "SenderId": "AROAEXAMPLEID:orders-api",
                    "ApproximateFirstReceiveTimestamp": str(MILLIS),
                }
                | fifo,
                "messageAttributes": {
                    name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
                    for name, value in (attributes or {}).items()
                },
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
                "awsRegion": REGION,
            }
            for index, each in enumerate([body] if bodies is None else bodies)
        ]
    }


def sns(body: Any = None, *, subject: str | None = None, topic: str = "orders", attributes: Any = None) -> Any:
    """SNS notification."""
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    notification = {
        "Type": "Notification", "MessageId": ID, "TopicArn": arn, "Subject": subject, "Message": _text(body) or "", "Timestamp": ISO, "SignatureVersion": "1",
        "Signature": "EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNKWLQjwu6A4VbeS0QHVCkhRS7fUQvi2egU3N858fiTDN6bkkOxYDVrY0Ad8L10Hs3zH81mtnPk5uvv",
        "SigningCertUrl": f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
        "UnsubscribeUrl": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}:0b6941c3-f04d-4d3e-a66d-b1df00e1e381",
        "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in (attributes or {}).items()},
    }  # fmt: skip
    return {
        "Records": [
            {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": f"{arn}:0b6941c3-f04d-4d3e-a66d-b1df00e1e381", "Sns": notification}
        ]
    }


def s3(key: str = "incoming/products.csv", *, keys: Any = None, bucket: str = "imports-eu", kind: str = "ObjectCreated:Put") -> Any:
    """S3 notifications; keys are URL-encoded as S3 does it."""
    return {
        "Records": [
            {
                "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": ISO, "eventName": kind,
                "userIdentity": {"principalId": "AWS:AROAEXAMPLEID:uploader"},
                "requestParameters": {"sourceIPAddress": ADDRESS},
                "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"},
                "s3": {
                    "s3SchemaVersion": "1.0", "configurationId": "imports",
                    "bucket": {"name": bucket, "ownerIdentity": {"principalId": "A3NL1KOZZKEXAMPLE"}, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {"key": _quoted(each), "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0A1B2C3D4E5F678901"},
                },
            }
            for each in ([key] if keys is None else keys)
        ]
    }  # fmt: skip


def s3_batch(key: str = "incoming/products.csv", *, keys: Any = None, arguments: Any = None) -> Any:
    """S3 Batch Operations."""
    tasks = [
        {"taskId": f"dGFza2lkZ29lc2hlcmUK{index}", "s3Key": _quoted(each), "s3VersionId": None, "s3Bucket": "imports-eu"}
        for index, each in enumerate([key] if keys is None else keys)
    ]
    job = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce", "userArguments": arguments or {}}
    return {"invocationSchemaVersion": "2.0", "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo", "job": job, "tasks": tasks}


def s3_object(path: str = "/incoming/products.csv", *, headers: Any = None) -> Any:
    """S3 Object Lambda."""
    host = f"imports-{ACCOUNT}.s3-object-lambda.{REGION}.amazonaws.com"
    return {
        "xAmzRequestId": ID,
        "getObjectContext": {
            "inputS3Url": f"https://imports-{ACCOUNT}.s3-accesspoint.{REGION}.amazonaws.com{path}?X-Amz-Signature=EXAMPLE",
            "outputRoute": "io-use1-001",
            "outputToken": "OutputToken",
        },
        "configuration": {"accessPointArn": f"arn:aws:s3-object-lambda:{REGION}:{ACCOUNT}:accesspoint/imports", "payload": ""},
        "userRequest": {"url": f"https://{host}{path}", "headers": {"Host": host, "Accept-Encoding": "identity"} | (headers or {})},
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLEID:reader", "accountId": ACCOUNT},
        "protocolVersion": "1.00",
    }


def ses(subject: str = "a new order", *, sender: str = "ada@example.com", headers: Any = None) -> Any:
    """SES receipt."""
    mail = {
        "timestamp": ISO, "source": sender, "messageId": "o3vrnil0e2ic28tr", "destination": ["orders@example.com"], "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in ({"From": sender, "To": "orders@example.com", "Subject": subject}
            | (headers or {})).items()],
        "commonHeaders": {"returnPath": sender, "from": [sender], "to": ["orders@example.com"], "subject": subject},
    }  # fmt: skip
    receipt = {
        "timestamp": ISO,
        "processingTimeMillis": 574,
        "recipients": ["orders@example.com"],
        "spamVerdict": {"status": "PASS"},
        "virusVerdict": {"status": "PASS"},
        "action": {"type": "Lambda", "invocationType": "Event"},
    }
    return {"Records": [{"eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}, "eventSource": "aws:ses"}]}


def iot(client: str = "thermostat-17", *, kind: str = "connected") -> Any:
    """IoT life-cycle event."""
    return {
        "clientId": client,
        "timestamp": MILLIS,
        "eventType": kind,
        "sessionIdentifier": ID,
        "principalIdentifier": "12ae7f0d3c",
        "ipAddress": ADDRESS,
        "versionNumber": 0,
    }


def eventbridge(detail: Any = None, *, source: str = "shop.orders", kind: str = "Order Placed") -> Any:
    """EventBridge event, of `source` and of the `kind` that its detail has."""
    return {
        "version": "0", "id": ID, "detail-type": kind, "source": source, "account": ACCOUNT, "time": "2026-11-24T21:36:24Z", "region": REGION, "resources": [],
        "detail": {} if detail is None else detail,
    }  # fmt: skip


def logs(lines: Any = ("a line",), *, group: str = "/aws/lambda/orders") -> Any:
    """CloudWatch Logs subscription."""
    import gzip

    events = [
        {"id": f"{36556438112300000000000000000000000000000000000000000000 + index}", "timestamp": MILLIS, "message": line} for index, line in enumerate(lines)
    ]
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "2026/11/24/[$LATEST]abc",
        "subscriptionFilters": ["all"],
        "logEvents": events,
    }
    return {"awslogs": {"data": _base64(gzip.compress(_text(data).encode(), mtime=0))}}


def alarm(description: str = "too many refusals", *, name: str = "refusals") -> Any:
    """CloudWatch alarm."""
    state = {
        "value": "ALARM",
        "reason": "threshold crossed",
        "reasonData": '{"version":"1.0","statistic":"Sum","period":60}',
        "timestamp": "2026-11-24T21:36:24.000+0000",
    }
    data = {"alarmName": name, "state": state, "previousState": state | {"value": "OK"}, "configuration": {"description": description, "metrics": []}}
    return {
        "source": "aws.cloudwatch",
        "alarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "accountId": ACCOUNT,
        "time": "2026-11-24T21:36:24.000+0000",
        "region": REGION,
        "alarmData": data,
    }


def kinesis(body: Any = None, *, bodies: Any = None, key: str = "customer-7") -> Any:
    """Kinesis records; their data is base64."""
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/orders"
    return {
        "Records": [
            {
                "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": key,
                    "sequenceNumber": f"{49590338271490256608559692538361571095921575989136588898 + index}", "data": _base64(_text(each) or ""),
                    "approximateArrivalTimestamp": MILLIS / 1000},
                "eventSource": "aws:kinesis", "eventVersion": "1.0",
                    "eventID": f"shardId-000000000006:{49590338271490256608559692538361571095921575989136588898 + index}",
                "eventName": "aws:kinesis:record", "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/orders", "awsRegion": REGION, "eventSourceARN": arn,
            }
            for index, each in enumerate([body] if bodies is None else bodies)
        ]
    }  # fmt: skip


def dynamodb(image: Any = None, *, images: Any = None, kind: str = "INSERT") -> Any:
    """DynamoDB stream records; an image is as DynamoDB writes it, `{"note": {"S": "..."}}`."""
    return {
        "Records": [
            {
                "eventID": f"c4ca4238a0b923820dcc509a6f75849{index:x}", "eventName": kind, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
                    "awsRegion": REGION,
                "dynamodb": {
                    "Keys": {"id": {"S": f"order-{index}"}}, "NewImage": {"id": {"S": f"order-{index}"}} | (each or {}),
                        "ApproximateCreationDateTime": MILLIS / 1000,
                    "SequenceNumber": f"{4421584500000000017450439091 + index}", "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders/stream/2026-11-24T00:00:00.000",
            }
            for index, each in enumerate([image] if images is None else images)
        ]
    }  # fmt: skip


def firehose(body: Any = None, *, bodies: Any = None) -> Any:
    """Firehose records to transform; their data is base64."""
    rows = [
        {"recordId": f"495903382714902566085596925383{index:02d}", "approximateArrivalTimestamp": MILLIS, "data": _base64(_text(each) or "")}
        for index, each in enumerate([body] if bodies is None else bodies)
    ]
    return {"invocationId": ID, "deliveryStreamArn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/orders", "region": REGION, "records": rows}


def kafka(body: Any = None, *, bodies: Any = None, topic: str = "orders", key: str = "customer-7", headers: Any = None) -> Any:
    """Records of a Kafka topic on MSK, of one partition; keys and values are base64, headers lists of bytes."""
    sent = [{name: list(value.encode())} for name, value in (headers or {}).items()]
    rows = [
        {
            "topic": topic,
            "partition": 0,
            "offset": 15 + index,
            "timestamp": MILLIS,
            "timestampType": "CREATE_TIME",
            "key": _base64(key),
            "value": _base64(_text(each) or ""),
            "headers": sent,
        }
        for index, each in enumerate([body] if bodies is None else bodies)
    ]
    arn = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/orders/abcd1234-abcd-cafe-abab-9876543210ab-4"
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": arn,
        "bootstrapServers": f"b-1.orders.a1bcde.c1.kafka.{REGION}.amazonaws.com:9092",
        "records": {f"{topic}-0": rows},
    }


def kafka_self_managed(body: Any = None, **chosen: Any) -> Any:
    """Records of a self-managed Kafka topic."""
    event = kafka(body, **chosen)
    del event["eventSourceArn"]
    return event | {"eventSource": "SelfManagedKafka", "bootstrapServers": "kafka.example.com:9092"}


def mq(body: Any = None, *, bodies: Any = None, queue: str = "orders") -> Any:
    """ActiveMQ messages."""
    messages = [
        {
            "messageID": f"ID:b-9bcfa592.mq.{REGION}.amazonaws.com-37557-1234520418293-4:1:1:1:{index}", "messageType": "jms/text-message",
                "deliveryMode": 1, "replyTo": None, "type": None, "expiration": "60000", "priority": 1,
            "correlationId": "customer-7", "redelivered": False, "destination": {"physicalName": queue}, "data": _base64(_text(each) or ""),
                "timestamp": MILLIS, "brokerInTime": MILLIS, "brokerOutTime": MILLIS, "properties": {"kind": "order"},
        }
        for index, each in enumerate([body] if bodies is None else bodies)
    ]  # fmt: skip
    return {
        "eventSource": "aws:amq",
        "eventSourceArn": f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:orders:b-9bcfa592-423a-4942-879d-eb284b418fc8",
        "messages": messages,
    }


def mq_rabbit(body: Any = None, *, bodies: Any = None, queue: str = "orders", headers: Any = None) -> Any:
    """RabbitMQ messages; string headers are lists of bytes."""
    sent = {name: {"bytes": list(value.encode())} for name, value in (headers or {}).items()}
    messages = [
        {
            "basicProperties": {"contentType": "text/plain", "contentEncoding": None, "headers": sent, "deliveryMode": 1, "userId": "shop", "bodySize": 80},
            "redelivered": False,
            "data": _base64(_text(each) or ""),
        }
        for each in ([body] if bodies is None else bodies)
    ]
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:orders:b-9bcfa592-423a-4942-879d-eb284b418fc8",
        "rmqMessagesByQueue": {f"{queue}::/": messages},
    }


def cognito(request: Any = None, *, trigger: str = "PreSignUp_SignUp", user: str = "ada") -> Any:
    """Cognito trigger."""
    return {
        "version": "1", "triggerSource": trigger, "region": REGION, "userPoolId": f"{REGION}_EXAMPLE", "userName": user,
        "callerContext": {"awsSdkVersion": "aws-sdk-js-3.500.0", "clientId": "1example23456789"},
        "request": {"userAttributes": {"email": "ada@example.com"}} | (request or {}), "response": {"autoConfirmUser": False},
    }  # fmt: skip


def cloudformation(properties: Any = None, *, kind: str = "Create", old: Any = None) -> Any:
    """Custom resource."""
    event = {
        "RequestType": kind, "ServiceToken": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tables", "RequestId": ID,
        "ResponseURL": f"https://cloudformation-custom-resource-response-{REGION.replace('-', '')}.s3.{REGION}.amazonaws.com/arn%3Aaws?X-Amz-Signature=EXAMPLE",
        "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop/{ID}", "LogicalResourceId": "Orders", "ResourceType": "Custom::Table",
        "ResourceProperties": {"ServiceToken": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tables"} | (properties or {}),
    }  # fmt: skip
    return event | ({} if kind == "Create" else {"PhysicalResourceId": "orders-17"}) | ({"OldResourceProperties": old or {}} if kind == "Update" else {})


def config(invoking: Any = None, *, parameters: Any = None) -> Any:
    """Config rule."""
    item = {
        "configurationItem": {"resourceType": "AWS::S3::Bucket", "resourceId": "imports-eu", "tags": {"team": "shop"}},
        "messageType": "ConfigurationItemChangeNotification",
    }
    return {
        "version": "1.0", "invokingEvent": _text(item | (invoking or {})), "ruleParameters": _text(parameters or {}),
            "resultToken": "eyJlbmNyeXB0ZWREYXRhIjpb", "eventLeftScope": False,
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/config", "configRuleArn": f"arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-i9y8j9",
            "configRuleName": "buckets", "configRuleId": "config-rule-i9y8j9", "accountId": ACCOUNT,
    }  # fmt: skip


def codepipeline(parameters: str = "{}") -> Any:
    """CodePipeline action; `parameters` is what the pipeline's author wrote."""
    data = {"actionConfiguration": {"configuration": {"FunctionName": "release", "UserParameters": parameters}}, "inputArtifacts": [], "outputArtifacts": []}
    return {"CodePipeline.job": {"id": "11111111-abcd-1111-abcd-111111abcdef", "accountId": ACCOUNT, "data": data}}


def bedrock(text: str = "where is my order", *, parameters: Any = None, body: Any = None, function: str = "") -> Any:
    """Bedrock agent: an API, or with `function` a function."""
    given = [{"name": name, "type": "string", "value": value} for name, value in (parameters or {}).items()]
    event: dict[str, Any] = {
        "messageVersion": "1.0", "agent": {"name": "shop", "id": "AGENT1", "alias": "live", "version": "3"}, "inputText": text, "sessionId": "session-7",
            "actionGroup": "orders",
        "parameters": given, "sessionAttributes": {}, "promptSessionAttributes": {},
    }  # fmt: skip
    if function:
        return event | {"function": function}
    properties = [{"name": name, "type": "string", "value": value} for name, value in (body or {}).items()]
    return event | {"apiPath": "/orders", "httpMethod": "POST", "requestBody": {"content": {"application/json": {"properties": properties}}}}


def direct(event: Any = None) -> Any:
    """What whoever may invoke the function chooses."""
    return {} if event is None else event


def _text(value: Any) -> Any:
    from json import dumps

    return value if value is None or isinstance(value, str) else dumps(value, separators=(",", ":"))


def _base64(value: str | bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(value.encode() if isinstance(value, str) else value, newline=False).decode()


def _quoted(value: str) -> str:
    """URL-encoded as S3 does it: blanks become plus, slashes stay."""
    plain = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/")
    return "".join(chr(byte) if byte in plain else "+" if byte == 32 else f"%{byte:02X}" for byte in value.encode("utf-8", "surrogatepass"))


BUILDERS: dict[str, Callable[..., Any]] = {
    "apigateway-rest": rest,
    "apigateway-http": http,
    "function-url": function_url,
    "apigateway-websocket": websocket,
    "apigateway-authorizer": authorizer,
    "apigateway-http-authorizer": http_authorizer,
    "alb": alb,
    "vpc-lattice": lattice,
    "vpc-lattice-v1": lattice_v1,
    "cloudfront": cloudfront,
    "appsync": appsync,
    "appsync-template": appsync_template,
    "appsync-authorizer": appsync_authorizer,
    "sqs": sqs,
    "sns": sns,
    "s3": s3,
    "s3-batch": s3_batch,
    "s3-object-lambda": s3_object,
    "ses": ses,
    "iot": iot,
    "eventbridge": eventbridge,
    "cloudwatch-logs": logs,
    "cloudwatch-alarm": alarm,
    "kinesis": kinesis,
    "dynamodb": dynamodb,
    "firehose": firehose,
    "kafka": kafka,
    "kafka-self-managed": kafka_self_managed,
    "mq": mq,
    "mq-rabbit": mq_rabbit,
    "cognito": cognito,
    "cloudformation": cloudformation,
    "config": config,
    "codepipeline": codepipeline,
    "bedrock-agent": bedrock,
    "unknown": direct,
}
"""The builder of each source, by its public name."""
