"""A quote service: what a first guarded function looks like. It needs nothing but the guard.

POST /quote    {"sku": "A-100", "quantity": 2, "note": "..."}                 answers a price
               {..., "callback": "https://..."}                               also tells another system, where that is allowed
"""

import json
import urllib.request

from serverless_guard import guard

PRICES = {"A-100": 1250, "B-200": 480}

ORDER = {
    "type": "object",
    "required": ["sku", "quantity"],
    "properties": {
        "sku": {"type": "string", "pattern": "^[A-Z]-[0-9]{3}$"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 100},
        "note": {"type": "string", "maxLength": 500},
        "callback": {"type": "string", "maxLength": 2000},
    },
    "additionalProperties": False,
}


@guard(mode="block", source=["apigateway-http", "apigateway-rest", "alb"], schema=ORDER, egress=["hooks.partner.example:443"])
def handler(event, context):
    order = json.loads(event["body"])
    quote = {"sku": order["sku"], "cents": PRICES.get(order["sku"], 999) * order["quantity"]}
    if "callback" in order:
        urllib.request.urlopen(order["callback"], data=json.dumps(quote).encode(), timeout=2)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(quote)}
