package io.vmm4j.software.oracle;

import io.vmm4j.api.backend.CpuVendor;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;

/**
 * The host's own processor as the judge of an instruction: loads all general registers, RFLAGS and
 * the x87/SSE state, runs a few instruction bytes in 64-bit user mode, and stores everything back.
 *
 * <p>Usage: {@link #isSupported()}, {@link #open()}, then {@link #code(byte...)} once per
 * instruction, and for each case the setters, {@link #run()}, the getters. State not set again
 * keeps what the last run left. The instruction must not fault (no #DE, no unmasked SSE exception,
 * no wild address) and must fall through to its end; x87 exceptions may be unmasked as long as no
 * waiting instruction follows the one that raises them.
 *
 * <p>Not for use by several threads at once.
 */
public final class NativeOracle implements AutoCloseable {
  /** Bytes of scratch memory at {@link #scratchAddress()}, for memory operands. */
  public static final int SCRATCH_SIZE = 8192;

  /** Size of the FXSAVE image. */
  public static final int FX_SIZE = 512;

  private static final int CODE = 0;
  private static final int CODE_SIZE = 4096;
  private static final int GPRS = 4096;
  private static final int RFLAGS = GPRS + 128;
  private static final int HOST_RSP = GPRS + 136;
  private static final int HOST_RFLAGS = GPRS + 144;
  private static final int FX = GPRS + 256;
  private static final int HOST_FX = GPRS + 1024;
  private static final int SCRATCH = 8192;
  private static final int STACK = SCRATCH + SCRATCH_SIZE;
  private static final int STACK_SIZE = 128 * 1024;
  private static final int TOTAL = STACK + STACK_SIZE;
  private static final int RSP = 4;

  /** CF PF AF ZF SF DF OF: what user code may set without changing how the stub runs. */
  private static final long RFLAGS_SETTABLE = 0xcd5;

  private final MemorySegment block;
  private final MethodHandle stub;
  private final MethodHandle munmap;
  private int at;
  private int codeAt;

  private NativeOracle(MemorySegment block, MethodHandle stub, MethodHandle munmap) {
    this.block = block;
    this.stub = stub;
    this.munmap = munmap;
    initialiseFx();
  }

  /** Whether this host can be asked: x86-64 Linux that lets a process map executable memory. */
  public static boolean isSupported() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return os.contains("linux") && (arch.equals("amd64") || arch.equals("x86_64"));
  }

  /** Whether /proc/cpuinfo lists the given flag, such as {@code sse4_2}. */
  public static boolean hostHas(String cpuFlag) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("flags")) {
          return (" " + line.substring(line.indexOf(':') + 1) + " ").contains(" " + cpuFlag + " ");
        }
      }
    } catch (IOException e) {
      return false;
    }
    return false;
  }

  /** Whose processor the host has, by /proc/cpuinfo. */
  public static CpuVendor hostVendor() {
    try {
      String text = Files.readString(Path.of("/proc/cpuinfo"));
      return text.contains(CpuVendor.AMD.signature()) ? CpuVendor.AMD : CpuVendor.INTEL;
    } catch (IOException e) {
      return CpuVendor.INTEL; // then there is nothing to compare with
    }
  }

  /** Whether F3 makes LZCNT of BSR on this host; the processor is asked, for no CPUID hides it. */
  public static boolean hostHasLzcnt() {
    if (!isSupported()) {
      return false;
    }
    try (NativeOracle oracle = open()) {
      oracle.code(0xF3, 0x0F, 0xBD, 0xC2); // LZCNT EAX, EDX
      oracle.gpr(2, 1);
      oracle.run();
      return oracle.gpr(0) == 31;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /**
   * Maps the executable page and the state block.
   *
   * @throws IllegalStateException if the host refuses an executable mapping
   */
  @SuppressWarnings("restricted")
  public static NativeOracle open() {
    Linker linker = Linker.nativeLinker();
    MethodHandle mmap =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mmap"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    MethodHandle munmap =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("munmap"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    try {
      int readWriteExecute = 7;
      int privateAnonymous = 0x22;
      long address =
          (long) mmap.invokeExact(0L, (long) TOTAL, readWriteExecute, privateAnonymous, -1, 0L);
      if (address == -1) {
        throw new IllegalStateException("the host refuses an executable anonymous mapping");
      }
      MemorySegment block = MemorySegment.ofAddress(address).reinterpret(TOTAL);
      MethodHandle stub = linker.downcallHandle(block, FunctionDescriptor.ofVoid());
      return new NativeOracle(block, stub, munmap);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap failed", e);
    }
  }

  /** Sets the instruction bytes that each {@link #run()} executes. */
  public void code(byte... instructions) {
    at = CODE;
    // push rbx, rbp, r12..r15; pushfq; pop [host rflags]
    emit(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c);
    ripRelative(HOST_RFLAGS, 0x8f, 0x05);
    ripRelative(HOST_FX, 0x48, 0x0f, 0xae, 0x05); // fxsave64
    ripRelative(FX, 0x48, 0x0f, 0xae, 0x0d); // fxrstor64
    ripRelative(HOST_RSP, 0x48, 0x89, 0x25); // mov [host rsp], rsp
    ripRelative(RFLAGS, 0xff, 0x35); // push [rflags]
    emit(0x9d); // popfq
    for (int i = 0; i < 16; i++) {
      ripRelative(GPRS + 8 * i, 0x48 | (i >> 3) << 2, 0x8b, 0x05 | (i & 7) << 3);
    }
    codeAt = at;
    for (byte b : instructions) {
      emit(b);
    }
    for (int i = 0; i < 16; i++) {
      ripRelative(GPRS + 8 * i, 0x48 | (i >> 3) << 2, 0x89, 0x05 | (i & 7) << 3);
    }
    ripRelative(HOST_RSP, 0x48, 0x8b, 0x25); // mov rsp, [host rsp]
    emit(0x9c); // pushfq
    ripRelative(RFLAGS, 0x8f, 0x05); // pop [rflags]
    ripRelative(FX, 0x48, 0x0f, 0xae, 0x05);
    ripRelative(HOST_FX, 0x48, 0x0f, 0xae, 0x0d);
    ripRelative(HOST_RFLAGS, 0xff, 0x35);
    emit(0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
    if (at > CODE_SIZE) {
      throw new IllegalArgumentException("too many instruction bytes: " + instructions.length);
    }
  }

  /** As {@link #code(byte...)}, from ints for the ease of writing 0x80 and above. */
  public void code(int... instructions) {
    byte[] bytes = new byte[instructions.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) instructions[i];
    }
    code(bytes);
  }

  /** Host address of the first instruction byte, for what depends on RIP. */
  public long codeAddress() {
    return block.address() + codeAt;
  }

  /** Host address of everything that instructions may touch, {@link #mappedSize} bytes. */
  public long mappedAddress() {
    return block.address();
  }

  /** How many bytes there are from {@link #mappedAddress}: whole pages. */
  public long mappedSize() {
    return TOTAL;
  }

  /** Runs the instruction bytes on the present state and keeps the state they leave. */
  public void run() {
    if (gpr(RSP) == 0) {
      gpr(RSP, stackAddress());
    }
    try {
      stub.invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** A general register by its hardware number: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, ... 15 R15. */
  public long gpr(int index) {
    return block.get(ValueLayout.JAVA_LONG, GPRS + 8L * Objects.checkIndex(index, 16));
  }

  /** Sets a general register; RSP 0 (the start value) means {@link #stackAddress()}. */
  public void gpr(int index, long value) {
    block.set(ValueLayout.JAVA_LONG, GPRS + 8L * Objects.checkIndex(index, 16), value);
  }

  /** RFLAGS as the instruction left it. */
  public long rflags() {
    return block.get(ValueLayout.JAVA_LONG, RFLAGS);
  }

  /** Sets CF, PF, AF, ZF, SF, DF and OF from {@code value}; all other flags keep sane values. */
  public void rflags(long value) {
    block.set(ValueLayout.JAVA_LONG, RFLAGS, (value & RFLAGS_SETTABLE) | 0x202);
  }

  /** The 512-byte FXSAVE64 image, read and written in place. */
  public MemorySegment fx() {
    return block.asSlice(FX, FX_SIZE);
  }

  /** x87 empty and masked (FCW 037F), MXCSR 1F80, all registers zero. */
  public void initialiseFx() {
    MemorySegment fx = fx();
    fx.fill((byte) 0);
    fx.set(ValueLayout.JAVA_SHORT, 0, (short) 0x37f);
    fx.set(ValueLayout.JAVA_INT, 24, 0x1f80);
    rflags(0);
  }

  /** Low half (0) or high half (1) of an XMM register. */
  public long xmm(int register, int half) {
    return block.get(ValueLayout.JAVA_LONG, FX + 160 + 16L * register + 8L * half);
  }

  /** Sets an XMM register. */
  public void xmm(int register, long low, long high) {
    block.set(ValueLayout.JAVA_LONG, FX + 160 + 16L * register, low);
    block.set(ValueLayout.JAVA_LONG, FX + 168 + 16L * register, high);
  }

  /** MXCSR. */
  public int mxcsr() {
    return block.get(ValueLayout.JAVA_INT, FX + 24);
  }

  /** Sets MXCSR; keep its exceptions masked. */
  public void mxcsr(int value) {
    block.set(ValueLayout.JAVA_INT, FX + 24, value);
  }

  /** x87 control word. */
  public int controlWord() {
    return block.get(ValueLayout.JAVA_SHORT, FX) & 0xffff;
  }

  /** Sets the x87 control word. */
  public void controlWord(int value) {
    block.set(ValueLayout.JAVA_SHORT, FX, (short) value);
  }

  /** x87 status word, with TOP in bits 11 to 13. */
  public int statusWord() {
    return block.get(ValueLayout.JAVA_SHORT, FX + 2) & 0xffff;
  }

  /** Sets the x87 status word. */
  public void statusWord(int value) {
    block.set(ValueLayout.JAVA_SHORT, FX + 2, (short) value);
  }

  /** Abridged tag word: bit n set where physical register n is not empty. */
  public int abridgedTag() {
    return block.get(ValueLayout.JAVA_BYTE, FX + 4) & 0xff;
  }

  /** Sets the abridged tag word. */
  public void abridgedTag(int value) {
    block.set(ValueLayout.JAVA_BYTE, FX + 4, (byte) value);
  }

  /** Significand of ST(i), which is also MMi when TOP is 0. */
  public long significand(int stackIndex) {
    return block.get(ValueLayout.JAVA_LONG, FX + 32 + 16L * stackIndex);
  }

  /** Sign and exponent of ST(i). */
  public int signExponent(int stackIndex) {
    return block.get(ValueLayout.JAVA_SHORT, FX + 40 + 16L * stackIndex) & 0xffff;
  }

  /** Sets ST(i) in the image (index relative to the image's TOP). */
  public void st(int stackIndex, int signExponent, long significand) {
    block.set(ValueLayout.JAVA_LONG, FX + 32 + 16L * stackIndex, significand);
    block.set(ValueLayout.JAVA_SHORT, FX + 40 + 16L * stackIndex, (short) signExponent);
  }

  /** Scratch memory for memory operands, {@value #SCRATCH_SIZE} bytes, page-aligned. */
  public MemorySegment scratch() {
    return block.asSlice(SCRATCH, SCRATCH_SIZE);
  }

  /** Host address of {@link #scratch()}, to be put into a base register. */
  public long scratchAddress() {
    return block.address() + SCRATCH;
  }

  /** Host address of the middle of the private stack that the instruction runs on by default. */
  public long stackAddress() {
    return block.address() + STACK + STACK_SIZE / 2;
  }

  @Override
  public void close() {
    try {
      int unusedResult = (int) munmap.invokeExact(block.address(), (long) TOTAL);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void emit(int... bytes) {
    for (int b : bytes) {
      block.set(ValueLayout.JAVA_BYTE, at++, (byte) b);
    }
  }

  /** Emits an instruction whose ModRM, the last of {@code bytes}, is [rip + disp32]. */
  private void ripRelative(int target, int... bytes) {
    emit(bytes);
    block.set(ValueLayout.JAVA_INT_UNALIGNED, at, target - (at + 4));
    at += 4;
  }
}
