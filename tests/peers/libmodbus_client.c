/* A client by libmodbus: queries in, answers out (README.md).
 * Usage: libmodbus_client URL, with tcp://127.0.0.1:PORT or rtu://PATH, which is 115200 8N1. */

#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 2000, LINE = 16384, PATIENCE = 10 };

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

/* The number of values read into `bits` or `words`, 0 after a write, -1 with errno set. */
static int ask(modbus_t *modbus, const char *action, int address, const int *numbers, int given,
               uint8_t *bits, uint16_t *words) {
    int count = numbers[0];
    if (strcmp(action, "coil") == 0) return modbus_read_bits(modbus, address, count, bits);
    if (strcmp(action, "discrete") == 0) return modbus_read_input_bits(modbus, address, count, bits);
    if (strcmp(action, "holding") == 0) return modbus_read_registers(modbus, address, count, words);
    if (strcmp(action, "input") == 0) return modbus_read_input_registers(modbus, address, count, words);
    int done = -1;
    errno = EINVAL;
    if (strcmp(action, "write-coil") == 0) {
        for (int i = 0; i < given; i++) bits[i] = numbers[i] != 0;
        done = given == 1 ? modbus_write_bit(modbus, address, bits[0])
                          : modbus_write_bits(modbus, address, given, bits);
    } else if (strcmp(action, "write-holding") == 0) {
        for (int i = 0; i < given; i++) words[i] = (uint16_t)numbers[i];
        done = given == 1 ? modbus_write_register(modbus, address, words[0])
                          : modbus_write_registers(modbus, address, given, words);
    } else if (strcmp(action, "mask-holding") == 0 && given == 2) {
        done = modbus_mask_write_register(modbus, address, (uint16_t)numbers[0], (uint16_t)numbers[1]);
    } else if (strcmp(action, "exchange-holding") == 0 && given > 2) {
        uint16_t sent[MOST];
        for (int i = 2; i < given; i++) sent[i - 2] = (uint16_t)numbers[i];
        return modbus_write_and_read_registers(modbus, numbers[1], given - 2, sent, address, count, words);
    }
    return done < 0 ? -1 : 0;
}

/* Prints `count` values: `bytes`, or else `words`. */
static void show(int count, const uint8_t *bytes, const uint16_t *words) {
    if (count < 0 && errno > MODBUS_ENOBASE && errno < EMBBADCRC) {
        printf("exception %d\n", errno - MODBUS_ENOBASE);
        return;
    }
    if (count < 0) fail("answer");
    if (count == 0) printf("ok");
    for (int i = 0; i < count; i++) printf(i == 0 ? "%d" : " %d", bytes != NULL ? bytes[i] : words[i]);
    printf("\n");
}

static void query(modbus_t *modbus, char *text) {
    static uint8_t bits[MOST];
    static uint16_t words[MOST];
    int numbers[MOST], given = 0;
    const char *unit = strtok(text, " \n"), *action = strtok(NULL, " \n"), *address = strtok(NULL, " \n");
    for (char *word; given < MOST && (word = strtok(NULL, " \n")) != NULL;) numbers[given++] = atoi(word);
    if (action == NULL || modbus_set_slave(modbus, atoi(unit)) < 0) fail("query");
    if (strcmp(action, "server-id") == 0) {
        show(modbus_report_slave_id(modbus, MOST, bits), bits, NULL);
        return;
    }
    if (given == 0) fail("query");

    int count = ask(modbus, action, atoi(address), numbers, given, bits, words);
    int in_bits = action[0] == 'c' || action[0] == 'd';
    show(count, in_bits ? bits : NULL, words);
}

static modbus_t *line(const char *url) {
    if (strncmp(url, "rtu://", 6) == 0) return modbus_new_rtu(url + 6, 115200, 'N', 8, 1);
    return modbus_new_tcp("127.0.0.1", atoi(strrchr(url, ':') + 1));
}

int main(int argc, char **argv) {
    static char text[LINE];
    modbus_t *modbus = argc == 2 ? line(argv[1]) : NULL;
    if (modbus == NULL || modbus_connect(modbus) < 0) fail("connect");
    modbus_set_response_timeout(modbus, PATIENCE, 0);
    while (fgets(text, LINE, stdin) != NULL) query(modbus, text);
    modbus_close(modbus);
    modbus_free(modbus);
    return 0;
}
