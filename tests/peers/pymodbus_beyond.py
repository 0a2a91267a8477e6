"""What pymodbus's client reads beyond the four tables of unit 1. Usage: pymodbus_beyond.py URL

Prints a line for each: the objects of the basic, regular and extended identification, one object,
the server id, the exception status, records of a file, a queue (not in RTU), an echo and a counter.
"""

import logging
import sys

from pymodbus import pymodbus_apply_logging_config
from pymodbus.pdu.file_message import FileRecord

import pymodbus_line


def objects(client, code):
    """All objects of a category, over as many answers as there are."""
    found, following = {}, 0
    while True:
        answer = client.read_device_information(read_code=code, object_id=following, device_id=1)
        found.update(answer.information)
        if not answer.more_follows:
            return " ".join(f"{id}={value.decode()}" for id, value in sorted(found.items()))
        following = answer.next_object_id


def main(url):
    with pymodbus_line.client(url) as client:
        for code in (1, 2, 3):
            print(objects(client, code))
        one = client.read_device_information(read_code=4, object_id=2, device_id=1)
        print(one.information[2].decode())
        server = client.report_device_id(device_id=1)
        print(server.identifier.hex(), server.status)
        print(client.read_exception_status(device_id=1).status)
        record = FileRecord(file_number=4, record_number=1, record_length=4)  # in bytes
        print(client.read_file_record([record], device_id=1).records[0].record_data.hex())
        if not url.startswith("rtu"):  # its frame is two bytes longer than pymodbus takes it for
            print(client.read_fifo_queue(address=0x04DE, device_id=1).values)
        print(client.diag_query_data(b"\xa5\x37", device_id=1).message.hex())
        print(client.diag_read_bus_exception_error_count(device_id=1).message)


pymodbus_apply_logging_config(logging.CRITICAL)
main(sys.argv[1])
