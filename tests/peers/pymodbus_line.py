"""Lines by their URLs, as docs/links.md has them, for pymodbus. A serial port is 115200 8N1."""

import ssl
from urllib.parse import parse_qs, urlsplit

from pymodbus import FramerType
from pymodbus.client import (
    ModbusSerialClient,
    ModbusTcpClient,
    ModbusTlsClient,
    ModbusUdpClient,
)
from pymodbus.server import (
    ModbusSerialServer,
    ModbusTcpServer,
    ModbusTlsServer,
    ModbusUdpServer,
)

FRAMERS = {
    "rtu": FramerType.RTU,
    "ascii": FramerType.ASCII,
    "rtu+tcp": FramerType.RTU,
    "ascii+tcp": FramerType.ASCII,
    "tls": FramerType.TLS,
}
PATIENCE = 10  # seconds


def split(url):
    """The scheme, what is said of the framing, the place and the options of a line."""
    parts = urlsplit(url)
    framer = FRAMERS.get(parts.scheme, FramerType.SOCKET)
    options = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return parts, framer, options


def client(url):
    line, framer, options = split(url)
    common = {"framer": framer, "retries": 0, "timeout": PATIENCE}
    match line.scheme:
        case "rtu" | "ascii":
            return ModbusSerialClient(line.path, baudrate=115200, **common)
        case "udp":
            return ModbusUdpClient(line.hostname, port=line.port, **common)
        case "tls":
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trust.check_hostname = False  # it says no name while it connects
            trust.load_verify_locations(options["ca"])
            if "cert" in options:
                trust.load_cert_chain(options["cert"], options["key"])
            return ModbusTlsClient(line.hostname, port=line.port, sslctx=trust, **common)
        case _:
            return ModbusTcpClient(line.hostname, port=line.port, **common)


def server(url, devices, **more):
    line, framer, options = split(url)
    if line.scheme in ("rtu", "ascii"):
        return ModbusSerialServer(devices, framer=framer, port=line.path, baudrate=115200, **more)
    more |= {"framer": framer, "address": (line.hostname, line.port)}
    match line.scheme:
        case "udp":
            return ModbusUdpServer(devices, **more)
        case "tls":
            identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            identity.load_cert_chain(options["cert"], options["key"])
            if "ca" in options:
                identity.load_verify_locations(options["ca"])
                identity.verify_mode = ssl.CERT_REQUIRED
            return ModbusTlsServer(devices, sslctx=identity, **more)
        case _:
            return ModbusTcpServer(devices, **more)


def served(url, server):
    """The URL at which a server that was started is found."""
    line, _, _ = split(url)
    match line.scheme:
        case "rtu" | "ascii":
            return url
        case "udp":
            name = server.transport.get_extra_info("sockname")
        case _:
            name = server.transport.sockets[0].getsockname()
    return f"{line.scheme}://{line.hostname}:{name[1]}"
