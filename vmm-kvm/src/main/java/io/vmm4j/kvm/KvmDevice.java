package io.vmm4j.kvm;

import io.vmm4j.api.backend.CpuidLeaf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** /dev/kvm, opened: what can be asked of the kernel before there is a machine. */
final class KvmDevice implements AutoCloseable {
  static final String PATH = "/dev/kvm";

  private static final int MOST_CPUID_ENTRIES = 512;
  private static final int CPUID_HEADER_BYTES = 8;
  private static final int CPUID_ENTRY_BYTES = 40;
  private static final int SIGNIFICANT_INDEX = 1;

  private final int fd;

  private KvmDevice(int fd) {
    this.fd = fd;
  }

  /**
   * Opens it.
   *
   * @throws KvmException if it is not there or may not be opened
   */
  static KvmDevice open() {
    return new KvmDevice(Libc.open(PATH));
  }

  int apiVersion() {
    return Libc.ioctl(fd, Ioctl.KVM_GET_API_VERSION, 0);
  }

  /** What the kernel says of a capability: 0 if it lacks it. */
  int check(Capability capability) {
    return Libc.ioctl(fd, Ioctl.KVM_CHECK_EXTENSION, capability.number());
  }

  int createVm() {
    return Libc.ioctl(fd, Ioctl.KVM_CREATE_VM, 0);
  }

  int vcpuMappingBytes() {
    return Libc.ioctl(fd, Ioctl.KVM_GET_VCPU_MMAP_SIZE, 0);
  }

  /** The leaves that kernel and processor together can give a guest. */
  List<CpuidLeaf> supportedCpuid() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list =
          arena.allocate(CPUID_HEADER_BYTES + CPUID_ENTRY_BYTES * MOST_CPUID_ENTRIES, 8);
      list.set(ValueLayout.JAVA_INT, 0, MOST_CPUID_ENTRIES);
      Libc.ioctl(fd, Ioctl.KVM_GET_SUPPORTED_CPUID, list);
      List<CpuidLeaf> leaves = new ArrayList<>();
      for (int i = 0; i < list.get(ValueLayout.JAVA_INT, 0); i++) {
        long at = CPUID_HEADER_BYTES + (long) CPUID_ENTRY_BYTES * i;
        boolean indexed = (list.get(ValueLayout.JAVA_INT, at + 8) & SIGNIFICANT_INDEX) != 0;
        leaves.add(
            new CpuidLeaf(
                list.get(ValueLayout.JAVA_INT, at),
                indexed ? list.get(ValueLayout.JAVA_INT, at + 4) : -1,
                list.get(ValueLayout.JAVA_INT, at + 12),
                list.get(ValueLayout.JAVA_INT, at + 16),
                list.get(ValueLayout.JAVA_INT, at + 20),
                list.get(ValueLayout.JAVA_INT, at + 24)));
      }
      return leaves;
    }
  }

  /** KVM_SET_CPUID2 of a vCPU. */
  static void setCpuid(int vcpuFd, List<CpuidLeaf> leaves) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list =
          arena.allocate(CPUID_HEADER_BYTES + (long) CPUID_ENTRY_BYTES * leaves.size(), 8);
      list.set(ValueLayout.JAVA_INT, 0, leaves.size());
      long at = CPUID_HEADER_BYTES;
      for (CpuidLeaf leaf : leaves) {
        list.set(ValueLayout.JAVA_INT, at, leaf.leaf());
        list.set(ValueLayout.JAVA_INT, at + 4, Math.max(leaf.subleaf(), 0));
        list.set(ValueLayout.JAVA_INT, at + 8, leaf.subleaf() >= 0 ? SIGNIFICANT_INDEX : 0);
        list.set(ValueLayout.JAVA_INT, at + 12, leaf.eax());
        list.set(ValueLayout.JAVA_INT, at + 16, leaf.ebx());
        list.set(ValueLayout.JAVA_INT, at + 20, leaf.ecx());
        list.set(ValueLayout.JAVA_INT, at + 24, leaf.edx());
        at += CPUID_ENTRY_BYTES;
      }
      Libc.ioctl(vcpuFd, Ioctl.KVM_SET_CPUID2, list);
    }
  }

  @Override
  public void close() {
    Libc.close(fd);
  }
}
