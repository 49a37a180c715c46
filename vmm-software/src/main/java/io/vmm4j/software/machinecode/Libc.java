package io.vmm4j.software.machinecode;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The calls of the system that code memory needs, and the call of code. Linux on x86-64. */
@SuppressWarnings("restricted") // they are called here, and nowhere else in this package
final class Libc {
  private static final int MFD_CLOEXEC = 1;
  private static final int MAP_SHARED = 1;
  private static final int MAP_ANONYMOUS = 0x4022; // private, without reserved swap space
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;

  // Numbers of system calls on x86-64 (Linux, arch/x86/entry/syscalls/syscall_64.tbl).
  private static final int CLOSE = 3;
  private static final int MMAP = 9;
  private static final int MUNMAP = 11;
  private static final int MADVISE = 28;
  private static final int FTRUNCATE = 77;
  private static final int MEMFD_CREATE = 319;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();

  /**
   * The C library's {@code syscall}: one handle for all calls, as each shape of a handle takes
   * milliseconds to make.
   */
  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          SYMBOLS.findOrThrow("syscall"),
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));

  /** Calls code at an address with the address of a {@link StateBlock}. */
  private static final MethodHandle CALL =
      LINKER.downcallHandle(FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  private Libc() {}

  private static long call(long number, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) SYSCALL.invokeExact(number, a, b, c, d, e, f);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  private static long call(long number, long a, long b) {
    return call(number, a, b, 0, 0, 0, 0);
  }

  /** An anonymous file of memory; -1 if there is none to be had. */
  static int memoryFile(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      long name = arena.allocateFrom("vmm4j-code").address();
      int file = (int) call(MEMFD_CREATE, name, MFD_CLOEXEC);
      if (file >= 0 && call(FTRUNCATE, file, bytes) != 0) {
        closeFile(file);
        return -1;
      }
      return file;
    }
  }

  static void closeFile(int file) {
    call(CLOSE, file, 0);
  }

  /** Maps a file, to write or to execute; -1 if that is not allowed. */
  static long map(int file, long bytes, boolean execute) {
    int protection = PROT_READ | (execute ? PROT_EXEC : PROT_WRITE);
    return call(MMAP, 0, bytes, protection, MAP_SHARED, file, 0);
  }

  /**
   * Memory of the host that is zero and takes none until it is written to.
   *
   * @throws OutOfMemoryError if there is none
   */
  static MemorySegment reserve(long bytes) {
    long at = call(MMAP, 0, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1, 0);
    if (at == -1) {
      throw new OutOfMemoryError("the host has no memory for tables of machine code");
    }
    return segment(at, bytes);
  }

  static void unmap(long address, long bytes) {
    call(MUNMAP, address, bytes);
  }

  /** Gives mapped pages back; whether the system has taken them. */
  static boolean advise(long address, long bytes, int advice) {
    return call(MADVISE, address, bytes, advice, 0, 0, 0) == 0;
  }

  /** Mapped memory as a segment that lives until it is unmapped. */
  static MemorySegment segment(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Runs machine code. */
  static void call(MemorySegment entry, long state) {
    try {
      CALL.invokeExact(entry, state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A downcall throws nothing of its own. */
  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException(e);
  }
}
