"""What the emulator leaves undone that AWS does, done after each deployment.

The invariant: everything in this module is a no-op in AWS's terms. It repeats to the emulator what the
template already says, and adds nothing that a deployment to AWS would lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.literals import GatewayResponseTypeType
    from mypy_boto3_cloudformation import CloudFormationClient

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
