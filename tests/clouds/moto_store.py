"""Start moto's S3 on a free port; print it, and the key of a user who may only read.

It is run by .tools/clouds/bin/python, and ends with its input. The arguments are BUCKET=COUNT: a
bucket with that many empty objects in folders of one hundred. If INITIAL_NO_AUTH_ACTION_COUNT is 0
in the environment, moto checks the keys and permissions of each request.
"""

from __future__ import annotations

import json
import sys

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"
READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
store = s3_backends[ACCOUNT]["aws"]
for argument in sys.argv[1:]:
    bucket, _, count = argument.partition("=")
    store.create_bucket(bucket, "us-east-1")
    for number in range(int(count)):
        store.put_object(bucket, f"images/{number // 100:03}/{number:05}.png", b"")
users = iam_backends[ACCOUNT]["aws"]
users.create_user(None, "reader", "/", [])
users.put_user_policy("reader", "read", json.dumps({"Version": "2012-10-17", "Statement": READ}))
key = users.create_access_key("reader")
port = server.get_host_and_port()[1]
sys.stdout.write(
    f"{json.dumps({'port': port, 'key': key.access_key_id, 'secret': key.secret_access_key})}\n"
)
sys.stdout.flush()
sys.stdin.read()
