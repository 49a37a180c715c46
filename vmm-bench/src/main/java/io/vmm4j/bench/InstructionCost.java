package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * What single instructions cost the software processor that are loops or wide arithmetic inside:
 * nanoseconds of processor time for a short loop with one of them. {@code ./bench InstructionCost
 * [SECONDS]}
 */
public final class InstructionCost {
  private static final int DATA = 0x200;

  /** CS: FLD tbyte of the first and of the second number. */
  private static final String LOAD_BOTH = "9bdbe3 2edb2e0002 2edb2e1002";

  private static final String ONE_AND_A_BIT = "d5b8b1a71c9f3ad5 ff3f";
  private static final String HALF = "d5b8b1a71c9f3ad5 fe3f";
  private static final String LARGE_62 = "0190c47e5a3b29f1 3d40";
  private static final String HUGE = "0190c47e5a3b29f1 807e";

  /** FLD ST(1), the instruction, FSTP ST(0). */
  private static String unary(String instruction) {
    return "d9c1" + instruction + "ddd8";
  }

  /** FLD ST(1) twice, the instruction, which pops, FSTP ST(0). */
  private static String binary(String instruction) {
    return "d9c1 d9c1" + instruction + "ddd8";
  }

  /** Sets CX, SI and DI before a repeated instruction. */
  private static String repeated(int count, String instruction) {
    return "b9%02x00 be0030 bf0020 ".formatted(count) + instruction;
  }

  private record Loop(String name, String first, String second, String body, int instructions) {}

  private static final Loop[] LOOPS = {
    new Loop("FADD", ONE_AND_A_BIT, HALF, unary("d8c1"), 4),
    new Loop("FDIV", ONE_AND_A_BIT, HALF, unary("d8f1"), 4),
    new Loop("FSQRT", ONE_AND_A_BIT, HALF, unary("d9fa"), 4),
    new Loop("FPREM, quotient of 1 bit", ONE_AND_A_BIT, HALF, unary("d9f8"), 4),
    new Loop("FPREM, quotient of 62 bits", LARGE_62, ONE_AND_A_BIT, unary("d9f8"), 4),
    new Loop("FPREM, incomplete", HUGE, ONE_AND_A_BIT, unary("d9f8"), 4),
    new Loop("FPREM1, quotient of 62 bits", LARGE_62, ONE_AND_A_BIT, unary("d9f5"), 4),
    new Loop("FBSTP", LARGE_62, "0000008a5d784563 3a40", "d9c0 2edf360040", 3),
    new Loop("FBLD", ONE_AND_A_BIT, HALF, "2edf262002 ddd8", 3),
    new Loop("F2XM1", HALF, ONE_AND_A_BIT, unary("d9f0"), 4),
    new Loop("FYL2X", ONE_AND_A_BIT, HALF, binary("d9f1"), 5),
    new Loop("FYL2XP1", HALF, ONE_AND_A_BIT, binary("d9f9"), 5),
    new Loop("FPATAN", ONE_AND_A_BIT, HALF, binary("d9f3"), 5),
    new Loop("FSIN", ONE_AND_A_BIT, HALF, unary("d9fe"), 4),
    new Loop("FSIN of 2^62", LARGE_62, HALF, unary("d9fe"), 4),
    new Loop("FPTAN", ONE_AND_A_BIT, HALF, unary("d9f2 ddd8"), 5),
    new Loop("REP MOVSB of 3", "", "", repeated(3, "f3a4"), 5),
    new Loop("REP MOVSB of 16", "", "", repeated(16, "f3a4"), 5),
    new Loop("REP STOSB of 3", "", "", repeated(3, "f3aa"), 5),
    new Loop("REP STOSB of 16", "", "", repeated(16, "f3aa"), 5),
    new Loop("REPE CMPSB of 16", "", "", repeated(16, "f3a6"), 5),
    new Loop("REPNE SCASB of 16", "", "", "b0ff" + repeated(16, "f2ae"), 6),
    new Loop("AAM", "", "", "b063 d40a", 3),
    new Loop("DAA", "", "", "b03c 27", 3),
  };

  private InstructionCost() {}

  /** Measures and prints. */
  public static void main(String[] arguments) throws Exception {
    double seconds = arguments.length > 0 ? Double.parseDouble(arguments[0]) : 1;
    Path directory = Files.createTempDirectory("instruction-cost");
    StringBuilder table = new StringBuilder("ns for a loop with the instruction\n");
    for (Loop loop : LOOPS) {
      double nanos = nanosOf(loop, directory, seconds);
      table.append("%8.1f  %s%n".formatted(nanos, loop.name));
    }
    System.out.print(table);
  }

  private static double nanosOf(Loop loop, Path directory, double seconds) throws Exception {
    Path image = directory.resolve("image");
    Files.write(image, image(loop));
    VmSpec spec =
        VmSpec.builder("loop")
            .backend(Backends.software())
            .clock(ClockMode.VIRTUAL)
            .memory(MemorySize.mebibytes(1))
            .boot(new BootSource.FlatRealMode(image, 0x10000))
            .build();
    try (Vm vm = Vm.create(spec)) {
      measure(vm, seconds); // for HotSpot
      return measure(vm, seconds) * loop.instructions;
    }
  }

  /**
   * Nanoseconds for an instruction, of the processor time of the vCPU's thread; the guest's clock
   * counts instructions.
   */
  private static double measure(Vm vm, double seconds) throws InterruptedException {
    long first = vm.clock().nanoTime();
    long begin = vcpuNanos();
    vm.resume();
    Thread.sleep((long) (1000 * seconds));
    vm.pause();
    return (double) (vcpuNanos() - begin) / (vm.clock().nanoTime() - first);
  }

  private static long vcpuNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().contains("vcpu")) {
        return threads.getThreadCpuTime(thread.getThreadId());
      }
    }
    throw new IllegalStateException("there is no thread of a vCPU");
  }

  private static byte[] image(Loop loop) {
    byte[] image = new byte[0x1000];
    String begin = loop.first.isEmpty() ? "" : LOAD_BOTH;
    byte[] prologue = bytes(begin);
    byte[] body = bytes(loop.body);
    System.arraycopy(prologue, 0, image, 0, prologue.length);
    System.arraycopy(body, 0, image, prologue.length, body.length);
    int end = prologue.length + body.length;
    image[end] = (byte) 0xEB;
    image[end + 1] = (byte) -(body.length + 2);
    byte[] first = bytes(loop.first);
    byte[] second = bytes(loop.second);
    System.arraycopy(first, 0, image, DATA, first.length);
    System.arraycopy(second, 0, image, DATA + 0x10, second.length);
    System.arraycopy(bytes("785634127856341278 00"), 0, image, DATA + 0x20, 10);
    return image;
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }
}
