"""A server by pymodbus: the common image of README.md. Usage: pymodbus_server.py URL

Prints `listening on URL`, and ends with its standard input.
"""

import asyncio
import logging
import sys

from pymodbus import ModbusDeviceIdentification, pymodbus_apply_logging_config
from pymodbus.simulator import DataType, SimData, SimDevice

import pymodbus_line

UNITS = (1, 2, 17)
ADDRESSES = range(160)


def device(unit):
    def table(datatype, value):
        return [SimData(0, values=[value(address) for address in ADDRESSES], datatype=datatype)]

    coils = table(DataType.BITS, lambda address: address * unit % 3 == 0)
    discrete = table(DataType.BITS, lambda address: (address + unit) % 5 < 2)
    holding = table(DataType.REGISTERS, lambda address: 65535 - 1000 * unit - address)
    inputs = table(DataType.REGISTERS, lambda address: 1000 * unit + address)
    return SimDevice(unit, simdata=(coils, discrete, holding, inputs))


IDENTITY = ModbusDeviceIdentification(
    info_name={
        "VendorName": "Example Works",
        "ProductCode": "EW-17",
        "MajorMinorRevision": "2.11",
        "ProductName": "Meter" + "." * 200,
        "ModelName": "Model" + "." * 100,
    }
)


async def main(url):
    server = pymodbus_line.server(url, [device(unit) for unit in UNITS], identity=IDENTITY)
    await server.serve_forever(background=True)
    print("listening on", pymodbus_line.served(url, server), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


pymodbus_apply_logging_config(logging.CRITICAL)  # it logs refusals as errors
asyncio.run(main(sys.argv[1]))
