"""A validator of OCSF 1.5.0 Detection Findings (class 2004 with the profiles `cloud` and `security_control`), for the tests.

The table holds facts of the published schema (https://github.com/ocsf/ocsf-schema, tag 1.5.0, Apache-2.0): attributes, types,
`!` for required, `[]` for arrays, `=` for the values of an enumeration, `|` for "at least one of". Objects that no event of the
guard holds are left out, so that an attribute of theirs is an error here.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

LAMBDA_KEYS = ("level", "timestamp")
"""Not OCSF: Lambda's log filter wants them beside it."""

SCHEMA = """
detection_finding
    action:string action_id:integer=0-4,99 activity_id:integer!=0-3,99 activity_name:string api:api attacks:attack[]
    category_name:string category_uid:integer!=2 class_name:string class_uid:integer!=2004 cloud:cloud! comment:string confidence:string
    confidence_id:integer=0-3,99 confidence_score:integer count:integer disposition:string disposition_id:integer=0-27,99 duration:long
    end_time:timestamp evidences:evidences[] finding_info:finding_info! impact:string impact_id:integer=0-4,99 impact_score:integer
    is_alert:boolean message:string metadata:metadata! observables:observable[] policy:policy raw_data:string raw_data_size:long
    resources:resource_details[] risk_details:string risk_level:string risk_level_id:integer=0-4,99 risk_score:integer severity:string
    severity_id:integer!=0-6,99 start_time:timestamp status:string status_code:string status_detail:string status_id:integer=0-5,99
    time:timestamp! timezone_offset:integer type_name:string type_uid:long!=200400-200403,200499 unmapped:object
metadata
    correlation_uid:string debug:string[] event_code:string labels:string[] log_level:string log_name:string log_provider:string
    log_version:string logged_time:timestamp modified_time:timestamp original_time:string processed_time:timestamp product:product!
    profiles:string[] sequence:integer tags:key_value_object[] tenant_uid:string uid:string version:string!
product
    cpe_name:string feature:feature lang:string name:string path:string uid:string url_string:url vendor_name:string version:string
    | name uid
feature
    name:string uid:string version:string | name uid
finding_info
    analytic:analytic attacks:attack[] created_time:timestamp data_sources:string[] desc:string first_seen_time:timestamp
    last_seen_time:timestamp modified_time:timestamp product:product product_uid:string related_analytics:analytic[]
    related_events_count:integer src_url:url tags:key_value_object[] title:string types:string[] uid:string! uid_alt:string
analytic
    algorithm:string category:string desc:string name:string related_analytics:analytic[] type:string type_id:integer!=0-11,99
    uid:string version:string | name uid
attack
    sub_technique:sub_technique tactic:tactic tactics:tactic[] technique:technique version:string | tactic technique sub_technique
tactic
    name:string src_url:url uid:string | name uid
technique
    name:string src_url:url uid:string | name uid
sub_technique
    name:string src_url:url uid:string | name uid
policy
    data:json desc:string is_applied:boolean name:string uid:string version:string | name uid
cloud
    account:account cloud_partition:string project_uid:string provider:string! region:string zone:string
account
    labels:string[] name:string tags:key_value_object[] type:string type_id:integer=0-18,99 uid:string | name uid
resource_details
    cloud_partition:string created_time:timestamp criticality:string data:json hostname:hostname ip:ip is_backed_up:boolean
    labels:string[] modified_time:timestamp name:string namespace:string owner:user region:string tags:key_value_object[] type:string
    uid:resource_uid uid_alt:resource_uid version:string zone:string | name uid
evidences
    actor:actor api:api connection_info:network_connection_info data:json dst_endpoint:network_endpoint http_request:http_request
    name:string resources:resource_details[] src_endpoint:network_endpoint uid:string url:url user:user verdict:string
    verdict_id:integer=0-10,99 | actor api connection_info data dst_endpoint src_endpoint url user
network_endpoint
    domain:string hostname:hostname instance_uid:string interface_name:string interface_uid:string intermediate_ips:ip[]
    ip:ip isp:string isp_org:string mac:mac name:string owner:user port:port subnet_uid:string svc_name:string type:string
    type_id:integer=0-15,99 uid:string vlan_uid:string vpc_uid:string zone:string | ip uid name hostname svc_name instance_uid interface_uid
    interface_name domain
network_connection_info
    boundary:string boundary_id:integer=0-11,99 community_uid:string direction:string direction_id:integer!=0-3,99
    flag_history:string protocol_name:string protocol_num:integer protocol_ver:string protocol_ver_id:integer=0,4,6,99 tcp_flags:integer
    uid:string
http_request
    args:string body_length:integer http_method:string=CONNECT,DELETE,GET,HEAD,OPTIONS,POST,PUT,TRACE length:integer
    referrer:string uid:string url:url user_agent:string version:string x_forwarded_for:ip[]
url
    categories:string[]
    category_ids:integer[]=0-1,3-7,9,11,14-18,20-27,29-38,40,43-47,49-61,63-68,71,83-90,92-93,95-99,101-103,106-114,118,121 domain:string
    hostname:hostname path:string port:port query_string:string resource_type:string scheme:string subdomain:string url_string:url |
    url_string path
api
    operation:string! service:service version:string
service
    labels:string[] name:string tags:key_value_object[] uid:string version:string | name uid
actor
    app_name:string app_uid:string invoked_by:string user:user | user invoked_by app_name app_uid
user
    account:account credential_uid:string display_name:string domain:string email_addr:email forward_addr:email full_name:string
    has_mfa:boolean name:username phone_number:string risk_level:string risk_level_id:integer=0-4,99 risk_score:integer type:string
    type_id:integer=0-3,99 uid:string uid_alt:string | account name uid
observable
    name:string type:string type_id:integer!=0-46,99 value:string
key_value_object
    name:string! value:string values:string[] | value values
"""

CAPTIONS = {
    "action_id": "Unknown Allowed Denied Observed Modified",
    "severity_id": "Unknown Informational Low Medium High Critical Fatal",
    "confidence_id": "Unknown Low Medium High",
    "disposition_id": {1: "Allowed", 2: "Blocked", 15: "Detected", 17: "Logged", 19: "Alert", 26: "Unauthorized", 27: "Error"},
    "status_id": {1: "New"},
}
"""The texts that go with some numbers; the text twin of `x_id` is `x`."""


def problems(event: dict) -> list[str]:
    """What is wrong with an event, one sentence each; nothing for a valid one."""
    found: list[str] = []
    body = {key: value for key, value in event.items() if key not in LAMBDA_KEYS}
    _check(body, "detection_finding", "", found)
    for field, captions in CAPTIONS.items():
        texts = dict(enumerate(captions.split())) if isinstance(captions, str) else captions
        twin = field.removesuffix("_id")
        if twin in event and event[twin] != texts.get(event.get(field)):
            found.append(f"{twin}: {event[twin]!r} is not the caption of {field} {event.get(field)!r}")
    if event.get("type_uid") != event.get("class_uid", 0) * 100 + event.get("activity_id", 0):
        found.append("type_uid is not class_uid * 100 + activity_id")
    if event.get("metadata", {}).get("version") != "1.5.0" or set(event["metadata"].get("profiles", ())) != {"cloud", "security_control"}:
        found.append("metadata: version and profiles do not name this schema")
    if event.get("metadata", {}).get("uid") != event.get("finding_info", {}).get("uid"):
        found.append("metadata.uid is not finding_info.uid")
    return found


def _check(value: object, kind: str, path: str, found: list[str]) -> None:
    if kind in OBJECTS:
        attributes, one_of = OBJECTS[kind]
        if not isinstance(value, dict):
            found.append(f"{path}: not an object")
            return
        found.extend(f"{path}.{name}: required" for name, (_, required, _) in attributes.items() if required and name not in value)
        if one_of and not any(name in value for name in one_of):
            found.append(f"{path}: needs one of {', '.join(one_of)}")
        for name, item in value.items():
            if name not in attributes:
                found.append(f"{path}.{name}: no such attribute")
                continue
            of, _, values = attributes[name]
            items = [item]
            if of.endswith("[]"):
                of = of[:-2]
                items = item if isinstance(item, list) else [None]
            for each in items:
                _check(each, of, f"{path}.{name}", found)
                if values and each not in values:
                    found.append(f"{path}.{name}: {each!r} is not in the enumeration")
    elif not SCALARS[kind](value):
        found.append(f"{path}: {value!r} is not of type {kind}")


def _integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _string(value: object) -> bool:
    return isinstance(value, str)


def _ip(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) <= 40 and bool(ip_address(value))
    except ValueError:
        return False


SCALARS = {
    "string": _string,
    "hostname": _string,
    "url": _string,
    "username": _string,
    "resource_uid": _string,
    "integer": lambda value: _integer(value) and abs(value) < 2**31,
    "long": _integer,
    "timestamp": lambda value: _integer(value) and 1_500_000_000_000 < value < 5_000_000_000_000,
    "boolean": lambda value: isinstance(value, bool),
    "ip": _ip,
    "port": lambda value: _integer(value) and 0 <= value <= 65535,
    "mac": _string,
    "email": _string,
    "json": lambda value: value is not None,
    "object": lambda value: isinstance(value, dict),
}


def _objects() -> dict[str, tuple[dict[str, tuple[str, bool, frozenset]], list[str]]]:
    made = {}
    for name, body in re.findall(r"^(\w+)\n((?:    .*\n)+)", SCHEMA, re.M):
        attributes, _, one_of = body.partition("|")
        made[name] = ({}, one_of.split())
        for token in attributes.split():
            field, of, required, values = re.fullmatch(r"(\w+):([a-z_]+(?:\[\])?)(!?)(?:=(\S+))?", token).groups()
            made[name][0][field] = (of, bool(required), frozenset(_values(values or "")))
    return made


def _values(text: str) -> list[object]:
    values: list[object] = []
    for piece in filter(None, text.split(",")):
        low, dash, high = piece.partition("-")
        values.extend(range(int(low), int(high) + 1) if dash else [int(low) if low.isdigit() else low])
    return values


OBJECTS = _objects()
