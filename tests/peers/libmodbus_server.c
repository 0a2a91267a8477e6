/* A server by libmodbus: the common image of README.md.
 * Usage: libmodbus_server           all units, on a free loopback port, one connection at a time
 *        libmodbus_server PATH UNIT one unit on a serial port, 115200 8N1: libmodbus has no more there
 * Prints `listening on URL`, and ends with its standard input. */

#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

enum { ADDRESSES = 160, UNITS = 3 };
static const int units[UNITS] = {1, 2, 17};
static modbus_mapping_t *images[UNITS];

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

static modbus_mapping_t *image(int unit) {
    modbus_mapping_t *image = modbus_mapping_new(ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES);
    if (image == NULL) fail("mapping");
    for (int address = 0; address < ADDRESSES; address++) {
        image->tab_bits[address] = address * unit % 3 == 0;
        image->tab_input_bits[address] = (address + unit) % 5 < 2;
        image->tab_registers[address] = 65535 - 1000 * unit - address;
        image->tab_input_registers[address] = 1000 * unit + address;
    }
    return image;
}

/* `own` is the only unit of a serial line, or 0. To what all are told libmodbus sends no answer. */
static void answer(modbus_t *modbus, const uint8_t *request, int length, int own) {
    int unit = request[modbus_get_header_length(modbus) - 1];
    if (unit == MODBUS_BROADCAST_ADDRESS && own != 0) unit = own;
    for (int i = 0; i < UNITS; i++) {
        if (units[i] == unit) {
            modbus_reply(modbus, request, length, images[i]);
            return;
        }
    }
    modbus_reply_exception(modbus, request, MODBUS_EXCEPTION_GATEWAY_TARGET);
}

/* Waits until `source` can be read; ends the program if standard input has ended. */
static void await_bytes(int source) {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(STDIN_FILENO, &ready);
    FD_SET(source, &ready);
    if (select(source + 1, &ready, NULL, NULL, NULL) < 0) fail("select");
    if (FD_ISSET(STDIN_FILENO, &ready)) exit(0);
}

/* Answers until what is read from has ended. */
static void serve(modbus_t *modbus, int own) {
    for (;;) {
        uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
        await_bytes(modbus_get_socket(modbus));
        int length = modbus_receive(modbus, request);
        if (length < 0) return;
        if (length > 0) answer(modbus, request, length, own);
    }
}

static void serve_serial(const char *path, int unit) {
    modbus_t *modbus = modbus_new_rtu(path, 115200, 'N', 8, 1);
    if (modbus == NULL || modbus_set_slave(modbus, unit) < 0) fail("context");
    if (modbus_connect(modbus) < 0) fail(path);
    printf("listening on rtu://%s\n", path);
    fflush(stdout);
    serve(modbus, unit);
    fail(path);
}

static void serve_tcp(void) {
    modbus_t *modbus = modbus_new_tcp("127.0.0.1", 0);
    if (modbus == NULL) fail("context");
    int listener = modbus_tcp_listen(modbus, 1);
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&bound, &size) < 0) fail("listen");
    printf("listening on tcp://127.0.0.1:%d\n", ntohs(bound.sin_port));
    fflush(stdout);
    for (;;) {
        await_bytes(listener);
        if (modbus_tcp_accept(modbus, &listener) < 0) fail("accept");
        serve(modbus, 0);
        modbus_close(modbus);
    }
}

int main(int argc, char **argv) {
    for (int i = 0; i < UNITS; i++) images[i] = image(units[i]);
    if (argc == 3) serve_serial(argv[1], atoi(argv[2]));
    serve_tcp();
}
