"""Connects with one SASL mechanism, attaches a sender, and says which mechanism let it in or why it was refused.

usage: login.py URL ADDRESS MECHANISM [USER PASSWORD [AUTHORITY [CERTIFICATE KEY]]]
"""

import sys

from proton import SSLDomain
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Login(MessagingHandler):
    def __init__(self, url, address, mechanism, user="", password="", authority="", *certificate):
        super().__init__()
        self.url, self.address = url, address
        self.options = {"allowed_mechs": mechanism, "sasl_enabled": True, "reconnect": False}
        if user:
            self.options.update(user=user, password=password)
        if authority:
            domain = SSLDomain(SSLDomain.MODE_CLIENT)
            domain.set_trusted_ca_db(authority)
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER)
            if certificate:
                domain.set_credentials(certificate[0], certificate[1], None)
            self.options["ssl_domain"] = domain

    def on_start(self, event):
        connection = event.container.connect(self.url, **self.options)
        event.container.create_sender(connection, self.address)

    def on_sendable(self, event):
        print("in by", event.transport.sasl().mech)
        event.connection.close()

    def on_transport_error(self, event):
        print("refused:", event.transport.condition.name)
        event.connection.close()


Container(Login(*sys.argv[1:])).run()
