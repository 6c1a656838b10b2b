"""A deployed stack: its outputs, its parts, and where they are reached.

Against AWS these are the addresses that the outputs name. Where `AWS_ENDPOINT_URL` leads to a local AWS, they are the same
things below that address.
"""

import functools
import os
import re

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from processes import Failure

OUTPUTS = {"rest": "RestApiUrl", "http": "HttpApiUrl", "websocket": "WebSocketApiUrl"}
API_URL = re.compile(r"(https|wss)://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+(?P<path>/.*)?")
SIGN_IN_URL = re.compile(r"https://[a-z0-9-]+\.auth(-fips)?\.[^/]+(?P<path>/.*)")


class Stack:
    def __init__(self, name: str):
        self.name = name
        self.local = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
        try:
            described = self.aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"the stack {name} cannot be read: {error}") from error
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        self.parameters = {given["ParameterKey"]: given["ParameterValue"] for given in described.get("Parameters", [])}

    @staticmethod
    @functools.cache
    def aws(service: str):
        return boto3.client(service)

    @functools.cached_property
    def resources(self) -> dict[str, str]:
        """Physical names by logical ones. What a rollback deleted, or an update left behind, is not the stack's any more."""
        pages = self.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = [resource for page in pages for resource in page["StackResourceSummaries"]]
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in found
            if resource["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED") and "PhysicalResourceId" in resource
        }

    def url(self, kind: str) -> str:
        """Where the API of that kind is reached; no slash at its end."""
        return self.address(self.outputs[OUTPUTS[kind]])

    def address(self, url: str) -> str:
        """Where the thing at that address is really reached."""
        if not self.local:
            return url
        if found := API_URL.fullmatch(url):
            base = self.local.replace("http", "ws", 1) if url.startswith("wss:") else self.local
            return f"{base}/_aws/execute-api/{found['api']}{found['path'] or '/$default'}"
        if found := SIGN_IN_URL.fullmatch(url):
            return self.local + found["path"]
        raise Failure(f"{url} is not reached through {self.local}")
