/*
 * A guest's program for virtio sockets, without a library:
 *   vsock listen PORT     echoes what each connection sends, to its end
 *   vsock connect PORT    connects to the host, sends standard input, and writes what comes back
 * It ends with the number of the error that has ended it.
 *
 * Built by: gcc -Os -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie
 *   -fno-asynchronous-unwind-tables -fcf-protection=none -mno-red-zone -s -Wl,--build-id=none
 *   -Wl,-z,noseparate-code -Wl,-z,norelro -o vsock vsock.c
 */
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

enum { READ = 0, WRITE = 1, CLOSE = 3, SOCKET = 41, CONNECT = 42, ACCEPT = 43, SHUTDOWN = 48,
       BIND = 49, LISTEN = 50, FORK = 57, EXIT = 60, WAIT = 61 };

struct address {
  unsigned short family, reserved;
  unsigned port, cid, zero;
};

static void need(long result) {
  if (result < 0) call(EXIT, -result, 0, 0);
}

static void copy(long from, long to) {
  static char buffer[65536];
  for (;;) {
    long count = call(READ, from, (long)buffer, sizeof buffer);
    need(count);
    if (count == 0) return;
    for (long done = 0; done < count;) {
      long written = call(WRITE, to, (long)buffer + done, count - done);
      need(written);
      done += written;
    }
  }
}

__attribute__((used, noreturn)) static void start(long *stack) {
  char **arguments = (char **)(stack + 1);
  unsigned port = 0;
  for (char *digit = arguments[2]; *digit; digit++) port = port * 10 + *digit - '0';
  int listens = arguments[1][0] == 'l';
  struct address at = {40, 0, port, listens ? -1u : 2, 0};
  long socket = call(SOCKET, 40, 1, 0);
  need(socket);
  if (listens) {
    need(call(BIND, socket, (long)&at, sizeof at));
    need(call(LISTEN, socket, 128, 0));
    for (;;) {
      long connection = call(ACCEPT, socket, 0, 0);
      need(connection);
      if (call(FORK, 0, 0, 0) == 0) {
        if (call(FORK, 0, 0, 0) == 0) copy(connection, connection);
        call(EXIT, 0, 0, 0);
      }
      call(CLOSE, connection, 0, 0);
      call(WAIT, -1, 0, 0);
    }
  }
  need(call(CONNECT, socket, (long)&at, sizeof at));
  if (call(FORK, 0, 0, 0) == 0) {
    copy(0, socket);
    call(SHUTDOWN, socket, 1, 0);
  } else {
    copy(socket, 1);
  }
  call(EXIT, 0, 0, 0);
  __builtin_unreachable();
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
