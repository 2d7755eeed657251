"""Prints a token that Microsoft's identity library got.

usage: sign_in.py ADDRESS TENANT CLIENT_ID CLIENT_SECRET CA_FILE
"""
import sys

from azure.identity import ClientSecretCredential

address, tenant, client_id, secret, ca = sys.argv[1:6]
credential = ClientSecretCredential(
    tenant, client_id, secret, authority=address, disable_instance_discovery=True, connection_verify=ca
)
print(credential.get_token("https://graph.microsoft.com/.default").token)
