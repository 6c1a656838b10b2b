"""tools/deployer-policy.json lets a deployer make, change and delete what template.yaml has, by the resource types' own schemas.

Run with the SAM CLI's environment, whose cfn-lint has the schemas: `make template`. Which of a type's permissions the template never needs
is said here, each with its reason.
"""

import fnmatch
import json
import unittest

import couplings
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

POLICY = json.loads((couplings.REPOSITORY / "tools/deployer-policy.json").read_text())
NOT_NEEDED = {
    "cloudformation:*": "only PolicyStore=create nests a stack; the stack's own actions are asked for in test_the_tools",
    "cloudfront:*": "a sign-in page with a domain of its own",
    "cognito-idp:AddCustomAttributes": "there are none",
    "dynamodb:AssociateTableReplica": "no replicas",
    "dynamodb:BatchWriteItem": "no replicas, no imports",
    "dynamodb:CreateTableReplica": "no replicas",
    "dynamodb:DeleteItem": "no replicas",
    "dynamodb:DeleteResourcePolicy": "no policy",
    "dynamodb:DescribeImport": "no imports",
    "dynamodb:DisableKinesisStreamingDestination": "no streams",
    "dynamodb:EnableKinesisStreamingDestination": "no streams",
    "dynamodb:GetItem": "no replicas",
    "dynamodb:ImportTable": "no imports",
    "dynamodb:PutItem": "no replicas",
    "dynamodb:PutResourcePolicy": "no policy",
    "dynamodb:Query": "no replicas",
    "dynamodb:Scan": "no replicas",
    "dynamodb:UpdateContributorInsights": "off",
    "dynamodb:UpdateItem": "no replicas",
    "dynamodb:UpdateKinesisStreamingDestination": "no streams",
    "ec2:*": "no VPC",
    "elasticfilesystem:*": "no file system",
    "firehose:*": "logs go to CloudWatch",
    "iam:CreateServiceLinkedRole": "for e-mail through SES, replicas and the like",
    "kinesis:*": "no streams",
    "kms:*": "with KmsKey, by the key's own policy",
    "lambda:AssociateRuntimeAlias": "AWS's own",
    "lambda:DeleteFunctionCodeSigningConfig": "no code signing",
    "lambda:GetCodeSigningConfig": "no code signing",
    "lambda:GetLayerVersion": "no layers",
    "lambda:PassCapacityProvider": "no managed instances",
    "lambda:PutFunctionCodeSigningConfig": "no code signing",
    "lambda:PutFunctionRecursionConfig": "left as it is",
    "lambda:PutFunctionScalingConfig": "no managed instances",
    "lambda:PutRuntimeManagementConfig": "left as it is",
    "logs:CreateLogStream": "imports of tables",
    "logs:DeleteDataProtectionPolicy": "no such policy",
    "logs:DeleteIndexPolicy": "no such policy",
    "logs:DeleteResourcePolicy": "no such policy",
    "logs:DescribeLogStreams": "imports of tables",
    "logs:PutBearerTokenAuthentication": "off",
    "logs:PutDataProtectionPolicy": "no such policy",
    "logs:PutIndexPolicy": "no such policy",
    "logs:PutLogEvents": "imports of tables",
    "logs:PutLogGroupDeletionProtection": "off",
    "s3:GetObjectMetadata": "imports of tables",
    "s3:REST.PUT.OBJECT": "the schema's own mistake",
    "s3files:*": "no file system",
}
# What `make deploy`, `make destroy` and the SAM CLI ask for beside the resources.
TOOLS = [
    "apigateway:GET",
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
    "cloudformation:UpdateStack",
    "s3:PutObject",
    "sts:GetCallerIdentity",
]


def allowed(action: str) -> bool:
    patterns = [each for statement in POLICY["Statement"] for each in listed(statement["Action"])]
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


class Deployer(unittest.TestCase):
    def test_it_may_do_all_that_the_resources_take(self):
        kinds = {resource["Type"] for resource in couplings.Stack.read().resources.values()}
        needed = {}
        for kind in sorted(kinds):
            handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("handlers", {})
            for action in {each for handler in handlers.values() for each in handler.get("permissions", [])}:
                needed.setdefault(action, set()).add(kind)
        self.assertGreater(len(needed), 150)
        missing = {action: sorted(kinds) for action, kinds in needed.items() if not allowed(action) and not excepted(action)}
        self.assertEqual(missing, {})
        for pattern in NOT_NEEDED:
            self.assertTrue(any(fnmatch.fnmatchcase(action, pattern) for action in needed), f"{pattern} is not asked for any more")

    def test_the_tools_may_do_what_they_do(self):
        self.assertEqual([action for action in TOOLS if not allowed(action)], [])

    def test_nothing_is_granted_on_everything_that_could_be_granted_on_the_stacks_own(self):
        for statement in POLICY["Statement"]:
            for action in listed(statement["Action"]):
                self.assertNotIn("*", action)
            if statement["Resource"] == "*":
                self.assertEqual(statement["Sid"], "WhatHasNoResource")
                for action in listed(statement["Action"]):
                    name = action.partition(":")[2]
                    harmless = name.startswith(("Describe", "Get", "List", "Validate")) or "LogDeliver" in name
                    self.assertTrue(harmless or action in ("cognito-idp:CreateUserPool", "logs:PutResourcePolicy"), action)

    def test_it_fits_into_managed_policies(self):
        """A managed policy has at most 6,144 characters without white space: the statements make two."""
        sizes = [len(json.dumps(statement, separators=(",", ":"))) for statement in POLICY["Statement"]]
        self.assertLess(max(sizes), 6000)
        self.assertLess(sum(sizes), 2 * 6000)


def excepted(action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in NOT_NEEDED)


if __name__ == "__main__":
    unittest.main()
