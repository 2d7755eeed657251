"""The whole story with Microsoft's own packages: the identity library and the Graph SDK, over TLS.

usage: story.py ADDRESS TENANT CLIENT_ID CLIENT_SECRET CA_FILE SCIM_ADDRESS SCIM_TOKEN
Prints one line for each thing that worked; any failure ends it with an exception.
"""
import asyncio
import json
import sys
import time
from datetime import datetime, timezone

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.application_templates.item.instantiate.instantiate_post_request_body import (
    InstantiatePostRequestBody,
)
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.synchronization_job import SynchronizationJob
from msgraph.generated.models.synchronization_job_application_parameters import (
    SynchronizationJobApplicationParameters,
)
from msgraph.generated.models.synchronization_job_restart_criteria import SynchronizationJobRestartCriteria
from msgraph.generated.models.synchronization_job_restart_scope import SynchronizationJobRestartScope
from msgraph.generated.models.synchronization_job_subject import SynchronizationJobSubject
from msgraph.generated.models.synchronization_secret import SynchronizationSecret
from msgraph.generated.models.synchronization_secret_key_string_value_pair import (
    SynchronizationSecretKeyStringValuePair,
)
from msgraph.generated.models.user import User
from msgraph.generated.service_principals.item.synchronization.jobs.item.provision_on_demand.provision_on_demand_post_request_body import (
    ProvisionOnDemandPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.jobs.item.restart.restart_post_request_body import (
    RestartPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.jobs.validate_credentials.validate_credentials_post_request_body import (
    ValidateCredentialsPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.secrets.secrets_put_request_body import (
    SecretsPutRequestBody,
)
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import GraphClientFactory

ROLE = "00000000-0000-0000-0000-000000000000"
TEMPLATE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"


def connect(address, tenant, client_id, secret, ca):
    credential = ClientSecretCredential(
        tenant, client_id, secret, authority=address, disable_instance_discovery=True, connection_verify=ca
    )
    host = address.split("//")[1].split(":")[0]
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host]
    )
    import ssl

    client = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=ssl.create_default_context(cafile=ca), timeout=60)
    )
    adapter = GraphRequestAdapter(provider, client=client)
    graph = GraphServiceClient(request_adapter=adapter)
    adapter.base_url = f"{address}/v1.0"
    return graph


def pair(key, value):
    made = SynchronizationSecretKeyStringValuePair()
    made.key, made.value = key, value
    return made


def on_demand(rule, user):
    subject = SynchronizationJobSubject(object_id=user, object_type_name="User")
    parameters = SynchronizationJobApplicationParameters(rule_id=rule, subjects=[subject])
    return ProvisionOnDemandPostRequestBody(parameters=[parameters])


async def person(graph, name):
    profile = PasswordProfile(password="Not-kept-1", force_change_password_next_sign_in=True)
    return await graph.users.post(
        User(
            account_enabled=True,
            display_name=name.title(),
            mail_nickname=name,
            user_principal_name=f"{name}@contoso.example",
            password_profile=profile,
            given_name=name.title(),
            surname="Story",
        )
    )


async def story(address, tenant, client_id, secret, ca, scim, scim_token):
    graph = connect(address, tenant, client_id, secret, ca)

    made = await graph.application_templates.by_application_template_id(TEMPLATE).instantiate.post(
        InstantiatePostRequestBody(display_name="Story")
    )
    principal = made.service_principal.id
    print("an application is made from a template")

    synchronization = graph.service_principals.by_service_principal_id(principal).synchronization
    templates = await synchronization.templates.get()
    template = next(one for one in templates.value if one.default).id
    credentials = [
        pair(SynchronizationSecret.BaseAddress, scim),
        pair(SynchronizationSecret.SecretToken, scim_token),
    ]
    await synchronization.jobs.validate_credentials.post(
        ValidateCredentialsPostRequestBody(template_id=template, credentials=credentials)
    )
    print("credentials are validated before there is a job")

    job = await synchronization.jobs.post(SynchronizationJob(template_id=template))
    assert job.schedule.interval.total_seconds() == 2400, job.schedule.interval
    of_job = synchronization.jobs.by_synchronization_job_id(job.id)
    await synchronization.secrets.put(SecretsPutRequestBody(value=credentials))
    assert int(await synchronization.secrets.count.get()) == 2
    print("a job is made and its secrets are set")

    adele, boss = await person(graph, "adele"), await person(graph, "boss")
    await graph.users.by_user_id(adele.id).manager.ref.put(
        ReferenceUpdate(odata_id=f"{address}/v1.0/users/{boss.id}")
    )
    for one in (adele, boss):
        await graph.service_principals.by_service_principal_id(principal).app_role_assigned_to.post(
            AppRoleAssignment(principal_id=one.id, resource_id=principal, app_role_id=ROLE)
        )
    print("people are made and assigned")

    schema = await of_job.schema.get()
    rule = schema.synchronization_rules[0]
    mapping = next(one for one in rule.object_mappings if one.source_object_name == "User")
    title = next(one for one in mapping.attribute_mappings if one.target_attribute_name == "title")
    title.default_value = "Storyteller"
    await of_job.schema.patch(schema)
    again = await of_job.schema.get()
    mapping = next(one for one in again.synchronization_rules[0].object_mappings if one.source_object_name == "User")
    assert any(one.default_value == "Storyteller" for one in mapping.attribute_mappings)
    operators = await of_job.schema.filter_operators.get()
    functions = await of_job.schema.functions.get()
    assert operators.value and any(one.id == "Join" for one in functions.value)
    print("the schema is read, changed and read again")

    # The manager first, so that the reference to her can be resolved.
    for one in (boss, adele):
        answer = await of_job.provision_on_demand.post(on_demand(rule.id, one.id))
        assert json.loads(answer.key)["result"] == "Success", answer.key
    answer = await of_job.provision_on_demand.post(on_demand(rule.id, adele.id))
    assert json.loads(answer.key)["result"] == "Skipped", answer.key
    print("a person is provisioned on demand, and skipped the second time")

    try:
        await of_job.provision_on_demand.post(on_demand("no-such-rule", adele.id))
        raise AssertionError("an unknown rule was taken")
    except ODataError as error:
        assert error.response_status_code == 400, error
        assert error.error.code == "RequestParameterInvalid", error.error
    print("an unknown rule is refused in the published way")

    await of_job.start.post()
    ends = time.monotonic() + 60
    while True:
        job = await of_job.get()
        done = job.status.last_execution
        if job.status.code.value == "Active" and done is not None and done.activity_identifier:
            break
        assert time.monotonic() < ends, job.status
        await asyncio.sleep(0.2)
    assert done.state.value == "Succeeded", done
    await of_job.restart.post(
        RestartPostRequestBody(
            criteria=SynchronizationJobRestartCriteria(reset_scope=SynchronizationJobRestartScope.Full)
        )
    )
    await of_job.pause.post()
    print("the job is started, watched, restarted and paused")

    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        top=1, select=["displayName"], filter="startswith(displayName,'A') or startswith(displayName,'B')"
    )
    page = await graph.users.get(RequestConfiguration(query_parameters=query))
    names = [one.display_name for one in page.value]
    while page.odata_next_link:
        page = await graph.users.with_url(page.odata_next_link).get()
        names += [one.display_name for one in page.value]
    assert sorted(names) == ["Adele", "Boss"], names
    delta = await graph.users.delta.get()
    assert delta.odata_delta_link
    print("people are read by page, and by delta")

    from msgraph.generated.audit_logs.provisioning.provisioning_request_builder import ProvisioningRequestBuilder

    query = ProvisioningRequestBuilder.ProvisioningRequestBuilderGetQueryParameters(
        top=1, filter=f"jobId eq '{job.id}'"
    )
    page = await graph.audit_logs.provisioning.get(RequestConfiguration(query_parameters=query))
    events = list(page.value)
    while page.odata_next_link:
        page = await graph.audit_logs.provisioning.with_url(page.odata_next_link).get()
        events += page.value
    assert len(events) >= 3 and all(one.job_id == job.id for one in events)
    created = [one for one in events if one.provisioning_action.value == "create"]
    assert created and created[0].activity_date_time <= datetime.now(timezone.utc)
    print("the provisioning log is read by page")

    began = time.monotonic()
    for _ in range(6):
        answer = await of_job.provision_on_demand.post(on_demand(rule.id, boss.id))
    assert json.loads(answer.key)["result"] in ("Success", "Skipped")
    assert time.monotonic() - began > 1, "the sixth call in ten seconds was not held back"
    print("a 429 is met, waited for as told, and tried again")

    await of_job.delete()
    await graph.users.by_user_id(adele.id).delete()
    restored = await graph.directory.deleted_items.by_directory_object_id(adele.id).restore.post()
    assert restored.id == adele.id
    print("a person is deleted and restored")


if __name__ == "__main__":
    asyncio.run(story(*sys.argv[1:8]))
