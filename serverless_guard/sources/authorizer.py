"""Lambda authorizers of API Gateway (REST, HTTP and WebSocket APIs) and of AppSync.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

from serverless_guard.sources import others
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from serverless_guard.values import Part, Verdict

KNOWN = frozenset(
    [
        "version",
        "type",
        "methodArn",
        "routeArn",
        "identitySource",
        "authorizationToken",
        "resource",
        "path",
        "httpMethod",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "requestContext",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "requestHeaders",
    ]
)


def parts(event: dict[str, Any]) -> list[Part]:
    """The token and all else that the caller writes; the ARN holds the path that was asked for."""
    get = event.get
    found: list[Part] = [
        ("authorizationToken", get("authorizationToken"), "header", -1, ""),
        ("identitySource", get("identitySource"), "header", -1, ""),
        ("headers", get("headers"), "header", -1, ""),
        ("multiValueHeaders", get("multiValueHeaders"), "header", -1, ""),
        ("requestHeaders", get("requestHeaders"), "header", -1, ""),
        ("cookies", get("cookies"), "header", -1, ""),
        ("queryStringParameters", get("queryStringParameters"), "query", -1, ""),
        ("multiValueQueryStringParameters", get("multiValueQueryStringParameters"), "query", -1, ""),
        ("rawQueryString", get("rawQueryString"), "query", -1, ""),
        ("pathParameters", get("pathParameters"), "path", -1, ""),
        ("path", get("path"), "path", -1, ""),
        ("rawPath", get("rawPath"), "path", -1, ""),
        ("stageVariables", get("stageVariables"), "aws", -1, ""),
        ("requestContext", get("requestContext"), "aws", -1, ""),
    ]
    found += [(name, get(name), "aws", -1, "") for name in ("version", "type", "methodArn", "routeArn", "resource", "httpMethod", "routeKey")]
    return found if event.keys() <= KNOWN else found + others(event, KNOWN)


def refuse(event: dict[str, Any], verdict: Verdict) -> Any:
    """Deny: a policy where the event names a method, else `isAuthorized`."""
    method = event.get("methodArn")
    if method.__class__ is not str:
        return {"isAuthorized": False}
    statement = {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": method}
    return {"principalId": "refused", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
