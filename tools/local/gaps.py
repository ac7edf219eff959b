"""What the emulator leaves undone that AWS does, done after each deployment.

The invariant: everything in this module is a no-op in AWS's terms. It repeats to the emulator what the
template already says, and adds nothing that a deployment to AWS would lack.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.literals import GatewayResponseTypeType
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"


def publish_gateway_responses(cloudformation: CloudFormationClient, gateway: APIGatewayClient, stack_name: str) -> int:
    """Make the template's gateway responses live; return how many there are.

    The emulator imports an API's OpenAPI body without its gateway responses, and what is set later takes
    effect with the next deployment of the stage only. SAM writes a `GatewayResponses` property into that body.
    """
    processed: Any = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    published = 0
    for logical_id, resource in processed["Resources"].items():
        if resource["Type"] != "AWS::ApiGateway::RestApi":
            continue
        responses = resource["Properties"].get("Body", {}).get(GATEWAY_RESPONSES, {})
        if not responses:
            continue
        described = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId=logical_id)
        api_id = described["StackResourceDetail"]["PhysicalResourceId"]
        for response_type, response in responses.items():
            _put(gateway, api_id, response_type, response)
        for stage in gateway.get_stages(restApiId=api_id)["item"]:
            deployment = gateway.create_deployment(restApiId=api_id)["id"]
            gateway.update_stage(
                restApiId=api_id,
                stageName=stage["stageName"],
                patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
            )
        published += len(responses)
    return published


def register_host(gateway: APIGatewayClient, *, host: str, api_id: str, stage: str) -> None:
    """Serve a REST API's stage under a host name of its own; harmless when that is so already.

    In AWS one wildcard custom domain (`*.hub.<domain>`) takes every account's host; the emulator knows no
    wildcards.
    """
    try:
        gateway.create_domain_name(domainName=host, endpointConfiguration={"types": ["REGIONAL"]})
    except (gateway.exceptions.ConflictException, gateway.exceptions.BadRequestException):
        gateway.get_domain_name(domainName=host)
    mappings = gateway.get_base_path_mappings(domainName=host).get("items", [])
    if not any(mapping.get("restApiId") == api_id for mapping in mappings):
        for mapping in mappings:
            gateway.delete_base_path_mapping(domainName=host, basePath=mapping["basePath"])
        gateway.create_base_path_mapping(domainName=host, restApiId=api_id, stage=stage)


def _put(
    gateway: APIGatewayClient, api_id: str, response_type: GatewayResponseTypeType, response: Mapping[str, Any]
) -> None:
    # A response without a status of its own keeps the one of its type, and says so by leaving it out.
    status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
    gateway.put_gateway_response(
        restApiId=api_id,
        responseType=response_type,
        responseParameters=dict(response.get("responseParameters", {})),
        responseTemplates=dict(response.get("responseTemplates", {})),
        **status,
    )


def say_rights(iam: IAMClient) -> int:
    """Say two rights of the functions' policies as the emulator asks for them; return how many policies do now.

    In AWS `sqs:SendMessage` covers `SendMessageBatch`, which has no action of its own, and whoever sends a whole
    message as mail is asked for `ses:SendRawEmail` on the identity that it comes from.  The emulator asks for an
    action of the batch's own, and for `ses:SendEmail` on everything.
    """
    mended = 0
    for role in iam.get_paginator("list_roles").paginate().search("Roles[].RoleName"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            mended_statements = [_said_otherwise(statement) for statement in document["Statement"]]
            if mended_statements != document["Statement"]:
                document = {**document, "Statement": mended_statements}
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
                mended += 1
    return mended


def _said_otherwise(statement: dict[str, Any]) -> dict[str, Any]:
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    if "sqs:SendMessage" in actions:
        return {**statement, "Action": sorted({*actions, "sqs:SendMessageBatch"})}
    if actions == ["ses:SendRawEmail"]:
        return {**statement, "Action": "ses:SendEmail", "Resource": "*"}
    return statement


def say_numbers(functions: LambdaClient) -> None:
    """Say a queue's concurrency as the number that it is.

    A parameter of a template is a text; AWS reads the number in it, the emulator shows one and compares the text.
    """
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if most is not None:
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(most)})
