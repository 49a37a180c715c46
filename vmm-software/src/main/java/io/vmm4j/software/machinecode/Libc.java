package io.vmm4j.software.machinecode;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The calls of the C library that code memory needs. Linux. */
@SuppressWarnings("restricted") // they are called here, and nowhere else in this package
final class Libc {
  private static final int MFD_CLOEXEC = 1;
  private static final int MAP_SHARED = 1;
  private static final int MAP_ANONYMOUS = 0x4022; // private, without reserved swap space
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
  private static final MethodHandle MEMFD_CREATE =
      handle(
          "memfd_create",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
  private static final MethodHandle FTRUNCATE =
      handle(
          "ftruncate",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MUNMAP =
      handle(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

  /** Calls code at an address with the address of a {@link StateBlock}. */
  private static final MethodHandle CALL =
      LINKER.downcallHandle(FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  private Libc() {}

  private static MethodHandle handle(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(SYMBOLS.findOrThrow(name), type);
  }

  /** An anonymous file of memory; -1 if there is none to be had. */
  static int memoryFile(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      int file = (int) MEMFD_CREATE.invokeExact(arena.allocateFrom("vmm4j-code"), MFD_CLOEXEC);
      if (file >= 0 && (int) FTRUNCATE.invokeExact(file, bytes) != 0) {
        closeFile(file);
        return -1;
      }
      return file;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void closeFile(int file) {
    try {
      int ignored = (int) CLOSE.invokeExact(file);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Maps a file, to write or to execute; -1 if that is not allowed. */
  static long map(int file, long bytes, boolean execute) {
    try {
      int protection = PROT_READ | (execute ? PROT_EXEC : PROT_WRITE);
      return (long) MMAP.invokeExact(0L, bytes, protection, MAP_SHARED, file, 0L);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Memory of the host that is zero and takes none until it is written to.
   *
   * @throws OutOfMemoryError if there is none
   */
  static MemorySegment reserve(long bytes) {
    try {
      int protection = PROT_READ | PROT_WRITE;
      long at = (long) MMAP.invokeExact(0L, bytes, protection, MAP_ANONYMOUS, -1, 0L);
      if (at == -1) {
        throw new OutOfMemoryError("the host has no memory for tables of machine code");
      }
      return segment(at, bytes);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void unmap(long address, long bytes) {
    try {
      int ignored = (int) MUNMAP.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw unexpected(e);
    }
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
