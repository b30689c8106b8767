"""seed.py URL [KEY FILE]: print what is at URL, or send FILE there as a report, and then less of it, for a history."""

import json
import sys
import urllib.request

url, *rest = sys.argv[1:]
if not rest:
    sys.stdout.write(urllib.request.urlopen(url).read().decode())
    sys.exit()
key, path = rest
with open(path, encoding="utf-8") as file:
    report = json.load(file)
named_like_a_route = dict(report["modules"][0], machine_name="sync")
for modules in (report["modules"] + [named_like_a_route], report["modules"][1:] + [named_like_a_route]):
    body = json.dumps(dict(report, modules=modules, sync_timestamp="2026-01-31T09:30:00Z")).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers)).read()
