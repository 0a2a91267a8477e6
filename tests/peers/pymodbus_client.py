"""A client by pymodbus: queries in, answers out (README.md). Usage: pymodbus_client.py URL"""

import logging
import sys

from pymodbus import pymodbus_apply_logging_config

import pymodbus_line


def ask(client, unit, action, address, numbers):
    single = len(numbers) == 1
    match action:
        case "coil":
            return client.read_coils(address, count=numbers[0], device_id=unit)
        case "discrete":
            return client.read_discrete_inputs(address, count=numbers[0], device_id=unit)
        case "holding":
            return client.read_holding_registers(address, count=numbers[0], device_id=unit)
        case "input":
            return client.read_input_registers(address, count=numbers[0], device_id=unit)
        case "write-coil" if single:
            return client.write_coil(address, bool(numbers[0]), device_id=unit)
        case "write-coil":
            return client.write_coils(address, [bool(n) for n in numbers], device_id=unit)
        case "write-holding" if single:
            return client.write_register(address, numbers[0], device_id=unit)
        case "write-holding":
            return client.write_registers(address, numbers, device_id=unit)
        case "mask-holding":
            both, either = numbers
            return client.mask_write_register(
                address=address, and_mask=both, or_mask=either, device_id=unit
            )
        case "exchange-holding":
            count, first, *values = numbers
            return client.readwrite_registers(
                read_address=address,
                read_count=count,
                write_address=first,
                values=values,
                device_id=unit,
            )
    raise ValueError(action)


def show(query, answer):
    if answer.isError():
        return f"exception {answer.exception_code}"
    action, *numbers = query.split()[1], *query.split()[3:]
    if action.startswith(("write", "mask")):
        return "ok"
    values = answer.registers or answer.bits[: int(numbers[0])]
    return " ".join(str(int(value)) for value in values)


def main(url):
    with pymodbus_line.client(url) as client:
        for query in sys.stdin:
            unit, action, address, *numbers = query.split()
            answer = ask(client, int(unit), action, int(address), [int(n) for n in numbers])
            print(show(query, answer))


pymodbus_apply_logging_config(logging.CRITICAL)
main(sys.argv[1])
