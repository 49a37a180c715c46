/*
 * Runs user-mode cases on the processor of the host: NativeProcessor.java has the protocol.
 *
 * The whole program is one signal handler. A case is started by returning from the handler into
 * it, with all registers set in the signal frame; it ends at a fault or trap, which enters the
 * handler again with the registers in the frame. Without the C library: a case has FS to itself,
 * and may leave any state behind.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

/* As in Layout.java. */
#define CODE 0x20000000UL
#define DATA 0x20010000UL
#define READ_ONLY 0x20012000UL
#define DATA_BEYOND 0x20014000UL
#define STACK 0x20020000UL
#define FS_BASE 0x20010400UL
#define GS_BASE 0x20014400UL

#define FX_COPIED 416 /* what lies behind is reserved, and holds the kernel's own marks */
#define SECONDS_A_CASE 1

/* In the frame's XSAVE area: which components the kernel keeps there, in the part of the legacy
   region that is software's, and the upper halves of the YMM registers. */
#define XFEATURES 472
#define YMM_HIGH 576
#define AVX 4

struct state {
  uint64_t gpr[16]; /* in encoding order */
  uint64_t rip, rflags;
  uint64_t vector, error, cr2;
  uint64_t unused[11];
  uint8_t fx[512];
  uint8_t ymm_high[256];
};

static struct state *in, *out;
static int started;

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static void leave(int status) {
  call(SYS_exit_group, status, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};

__attribute__((used)) void handle(int signal, siginfo_t *info, ucontext_t *context) {
  greg_t *registers_of_frame = context->uc_mcontext.gregs;
  uint8_t *fx = (uint8_t *)context->uc_mcontext.fpregs;
  uint64_t *xstate_bv = (uint64_t *)(fx + 512);
  uint64_t *xfeatures = (uint64_t *)(fx + XFEATURES);
  char byte = 0;
  (void)info;
  if (started) {
    for (int i = 0; i < 16; i++) {
      out->gpr[i] = registers_of_frame[registers[i]];
    }
    out->rip = registers_of_frame[REG_RIP];
    out->rflags = registers_of_frame[REG_EFL];
    out->vector = signal == SIGVTALRM ? 0x100 : registers_of_frame[REG_TRAPNO];
    out->error = registers_of_frame[REG_ERR];
    out->cr2 = registers_of_frame[REG_CR2];
    for (int i = 0; i < FX_COPIED; i++) {
      out->fx[i] = fx[i];
    }
    int in_use = *xfeatures & *xstate_bv & AVX;
    for (unsigned i = 0; i < sizeof out->ymm_high; i++) {
      out->ymm_high[i] = in_use ? fx[YMM_HIGH + i] : 0;
    }
    if (call(SYS_write, 1, (long)&byte, 1, 0, 0, 0) != 1) {
      leave(3);
    }
  }
  started = 1;
  if (call(SYS_read, 0, (long)&byte, 1, 0, 0, 0) != 1) {
    leave(0);
  }
  for (int i = 0; i < 16; i++) {
    registers_of_frame[registers[i]] = in->gpr[i];
  }
  registers_of_frame[REG_RIP] = in->rip;
  registers_of_frame[REG_EFL] = in->rflags;
  registers_of_frame[REG_CSGSFS] = 0x33 | 0x2bUL << 48;
  for (int i = 0; i < FX_COPIED; i++) {
    fx[i] = in->fx[i];
  }
  *xstate_bv = 3 | (*xfeatures & AVX);
  for (unsigned i = 0; *xfeatures & AVX && i < sizeof in->ymm_high; i++) {
    fx[YMM_HIGH + i] = in->ymm_high[i];
  }
  struct itimerval limit = {{0, 0}, {SECONDS_A_CASE, 0}};
  call(SYS_setitimer, ITIMER_VIRTUAL, (long)&limit, 0, 0, 0, 0);
}

/* The case's AC, NT and ID stay set in a handler, and DS and ES are what it has loaded. */
__asm__(".globl enter\n"
        "enter: pushq $2\n"
        "popfq\n"
        "xorl %eax, %eax\n"
        "movl %eax, %ds\n"
        "movl %eax, %es\n"
        "jmp handle\n"
        ".globl back\n"
        "back: movl $15, %eax\n" /* rt_sigreturn */
        "syscall\n");
extern char enter[], back[];

struct kernel_sigaction {
  void *handler;
  unsigned long flags;
  void *restorer;
  unsigned long mask;
};

static char alternate_stack[1 << 16] __attribute__((aligned(64)));

static void *map(uint64_t address, uint64_t size, int protection, uint64_t offset) {
  long flags = MAP_SHARED | MAP_POPULATE | MAP_LOCKED | (address ? MAP_FIXED_NOREPLACE : 0);
  long mapped = call(SYS_mmap, address, size, protection, flags, 3, offset);
  if (mapped < 0 && mapped > -4096) {
    leave(4);
  }
  return (void *)mapped;
}

/* The file that is shared is descriptor 3. */
__attribute__((used)) void begin(void) {
  in = map(0, 0x1000, PROT_READ | PROT_WRITE, 0);
  out = in + 1; /* 1024 bytes on */
  map(CODE, 0x1000, PROT_READ | PROT_EXEC, 0x1000);
  map(DATA, 0x2000, PROT_READ | PROT_WRITE, 0x2000);
  map(READ_ONLY, 0x1000, PROT_READ, 0x4000);
  map(DATA_BEYOND, 0x1000, PROT_READ | PROT_WRITE, 0x5000);
  map(STACK, 0x1000, PROT_READ | PROT_WRITE, 0x6000);
  if (call(SYS_arch_prctl, ARCH_SET_FS, FS_BASE, 0, 0, 0, 0) ||
      call(SYS_arch_prctl, ARCH_SET_GS, GS_BASE, 0, 0, 0, 0)) {
    leave(5);
  }
  stack_t stack = {alternate_stack, 0, sizeof alternate_stack};
  struct kernel_sigaction action = {
      enter, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | 0x04000000 /* SA_RESTORER */, back, 0};
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGVTALRM};
  if (call(SYS_sigaltstack, (long)&stack, 0, 0, 0, 0, 0)) {
    leave(6);
  }
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
    if (call(SYS_rt_sigaction, signals[i], (long)&action, 0, 8, 0, 0)) {
      leave(7);
    }
  }
  __asm__ volatile("ud2");
}

__asm__(".globl _start\n"
        "_start: andq $-16, %rsp\n"
        "call begin\n");
