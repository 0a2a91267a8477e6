"""The information and diagnostic calls of pymodbus's examples, to unit 1. Usage: pymodbus_calls.py URL

Prints the vendor of the identification, the echo of a diagnostic, and how many other calls were
answered without an exception.
"""

import logging
import sys

from pymodbus import pymodbus_apply_logging_config

import pymodbus_line


def main(url):
    with pymodbus_line.client(url) as client:
        print(client.read_device_information(device_id=1).information[0].decode())
        print(client.diag_query_data(b"OK", device_id=1).message.decode())
        calls = [
            client.report_device_id,
            client.read_exception_status,
            client.diag_get_comm_event_counter,
            client.diag_get_comm_event_log,
            lambda device_id: client.diag_restart_communication(True, device_id=device_id),
            client.diag_read_diagnostic_register,
            client.diag_clear_counters,
            client.diag_read_bus_comm_error_count,
            client.diag_read_bus_exception_error_count,
            client.diag_read_device_message_count,
            client.diag_read_device_no_response_count,
            client.diag_read_device_nak_count,
            client.diag_read_device_busy_count,
            client.diag_read_bus_char_overrun_count,
            client.diag_clear_overrun_counter,
        ]
        for call in calls:
            answer = call(device_id=1)
            assert not answer.isError(), answer
        print(f"no error: {len(calls)} calls")


pymodbus_apply_logging_config(logging.CRITICAL)
main(sys.argv[1])
