/* The same ioctls as KvmExits makes of the library, by hand: exits ROUNDS COUNT prints for each round
   the nanoseconds of an exit for a byte written to a port. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

static const uint8_t code[] = {0xBA, 0x80, 0x00, 0xEE, 0xEB, 0xFD}; /* mov dx,0x80; out dx,al; jmp */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  int rounds = atoi(argv[1]);
  long count = atol(argv[2]);
  int kvm = open("/dev/kvm", O_RDWR);
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
  ioctl(vm, KVM_SET_TSS_ADDR, 0xFEFFD000);
  ioctl(vm, KVM_ENABLE_CAP, &split);
  uint8_t *memory = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  memcpy(memory + 0x10000, code, sizeof code);
  struct kvm_userspace_memory_region region = {
      .flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = 1 << 20, .userspace_addr = (uint64_t)memory};
  ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  struct kvm_run *run = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  struct kvm_sregs sregs;
  ioctl(vcpu, KVM_GET_SREGS, &sregs);
  sregs.cs.selector = 0x1000;
  sregs.cs.base = 0x10000;
  ioctl(vcpu, KVM_SET_SREGS, &sregs);
  struct kvm_regs regs = {.rflags = 2};
  ioctl(vcpu, KVM_SET_REGS, &regs);
  volatile long written = 0;
  for (int round = 0; round < rounds; round++) {
    double begin = now();
    for (long i = 0; i < count; i++) {
      if (ioctl(vcpu, KVM_RUN, 0) < 0 || run->exit_reason != KVM_EXIT_IO) {
        fprintf(stderr, "exit reason %d\n", run->exit_reason);
        return 1;
      }
      written += *((uint8_t *)run + run->io.data_offset);
    }
    printf("%.0f\n", (now() - begin) / count);
  }
  return 0;
}
