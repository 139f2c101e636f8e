"""The Host header, and which hosts are allowed."""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from serving.errors import BadRequestError, WrongHostError

# RFC 3986, 3.2.2 and 3.2.3: an IPv6 address in brackets, or a name or IPv4 address; and a port.
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._~!$&'()*+,;=%-]*))(?::[0-9]*)?", re.IGNORECASE)


def host_name(headers: Iterable[tuple[bytes, bytes]], http_version: str) -> str:
    """Return the name or address in the Host header in lower case; empty if there is none.

    Raises:
        BadRequestError: the header is missing in HTTP/1.1, repeated or malformed (RFC 9112, 3.2).
    """
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and http_version == "1.1"):
        raise BadRequestError("The request must have exactly one Host header.")
    match = HOST.fullmatch(hosts[0].decode("latin-1")) if hosts else None
    if hosts and not match:
        raise BadRequestError("The Host header must be a host name or an address, and optionally a port.")
    return (match[1] or match[2]).lower().removesuffix(".") if match else ""


def check_host(name: str, allowed: Collection[str]) -> None:
    """Reject unknown host names, to prevent DNS rebinding.

    IP addresses, `localhost` and requests without a host (HTTP/1.0) are safe: DNS does not resolve them.

    Raises:
        WrongHostError: the name is not local and not allowed.
    """
    if not name or name == "localhost" or name in allowed or "*" in allowed:
        return
    if name.endswith((".localhost", *(entry[1:] for entry in allowed if entry.startswith("*.")))):
        return
    if address_of(name) is None:
        raise WrongHostError(
            "The Host header is not an address, localhost or a host name that this service allows. "
            "Start the service with --allowed-hosts to allow more names."
        )


def is_loopback(host: str) -> bool:
    """Return whether this is an address of the machine itself; `::ffff:127.0.0.1` is one, too."""
    address = address_of(host)
    return address is not None and (getattr(address, "ipv4_mapped", None) or address).is_loopback


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is, or None."""
    try:
        return ip_address(host)
    except ValueError:
        return None
