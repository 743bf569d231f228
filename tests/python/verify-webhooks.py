"""As verify-webhooks.mjs, judged by the Python snippet of docs/webhook.md, which is given as the first argument."""
import json
import sys

exec(sys.argv[1])

for line in sys.stdin:
    sent = json.loads(line)
    print("ok" if is_genuine(sent["secret"], sent["headers"], sent["body"].encode()) else "refused")
