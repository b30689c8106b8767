"""seed.py URL [KEY FILE]: print what is at URL, or send FILE there; a report once more with less in it, for a history."""

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


def send(body):
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
    return urllib.request.urlopen(request).read().decode()


if "modules" not in report:
    sys.stdout.write(send(report))
    sys.exit()
named_like_a_route = dict(report["modules"][0], machine_name="sync")
for modules in (report["modules"] + [named_like_a_route], report["modules"][1:] + [named_like_a_route]):
    send(dict(report, modules=modules, sync_timestamp="2026-01-31T09:30:00Z"))
