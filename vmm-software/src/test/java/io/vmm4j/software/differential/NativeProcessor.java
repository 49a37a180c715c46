package io.vmm4j.software.differential;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The processor of the host, in user mode of the host's system: a small program that gcc compiles
 * (native-processor.c), since its faults are signals, and those of this process are the JVM's.
 *
 * <p>The two share a file: in its first page the state to start from and, 1024 bytes on, the one
 * reached, behind it the image of the pages. A byte to the program's standard input starts a case;
 * a byte from its standard output says that it has ended.
 */
final class NativeProcessor implements Processor {
  private static final int OUT = 1024;
  private static final int RIP = 128;
  private static final int RFLAGS = 136;
  private static final int VECTOR = 144;
  private static final int ERROR = 152;
  private static final int CR2 = 160;
  private static final int FX = 256;
  private static final int IMAGE = Layout.PAGE;
  private static final long COMPILED_WITHIN_SECONDS = 60;
  private static final long NONCANONICAL_FROM = 1L << 47;
  private static final int PF = 14;
  private static final int DB = 1;
  private static final long TF = 0x100;
  private static final int INT1 = 0xF1;
  private static final int ERROR_PRESENT = 1;

  private static final String[] COMPILE = {
    "-O1",
    "-fPIE",
    "-no-pie",
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-mgeneral-regs-only",
    "-fno-tree-loop-distribute-patterns",
    "-Wl,-Ttext-segment=0x600000000000",
    "-Wl,-z,noexecstack"
  };

  private final Path directory;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment shared;
  private final Process process;
  private final OutputStream toProgram;
  private final InputStream fromProgram;

  private NativeProcessor(Path directory) throws IOException {
    this.directory = directory;
    Path file = directory.resolve("shared");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      shared = channel.map(FileChannel.MapMode.READ_WRITE, 0, IMAGE + Layout.IMAGE_BYTES, arena);
    }
    process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "exec \"$0\" 3<>\"$1\"",
                directory.resolve("program").toString(),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    toProgram = process.getOutputStream();
    fromProgram = process.getInputStream();
  }

  /**
   * Compiles and starts the program.
   *
   * @throws UnavailableException if that can't be done here
   */
  static NativeProcessor open() {
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      throw new UnavailableException("not x86-64 Linux");
    }
    try {
      Path shm = Path.of("/dev/shm");
      Path directory =
          Files.isWritable(shm)
              ? Files.createTempDirectory(shm, "vmm4j-native")
              : Files.createTempDirectory("vmm4j-native");
      try {
        compile(directory);
        return new NativeProcessor(directory);
      } catch (IOException | UnavailableException e) {
        delete(directory);
        throw e;
      }
    } catch (IOException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()));
    }
  }

  private static void compile(Path directory) throws IOException {
    Path source = directory.resolve("native-processor.c");
    try (InputStream in = NativeProcessor.class.getResourceAsStream("native-processor.c")) {
      Files.copy(java.util.Objects.requireNonNull(in), source);
    }
    Path errors = directory.resolve("errors");
    java.util.List<String> command = new java.util.ArrayList<>(java.util.List.of("gcc"));
    command.addAll(java.util.List.of(COMPILE));
    command.addAll(
        java.util.List.of(source.toString(), "-o", directory.resolve("program").toString()));
    Process gcc;
    try {
      gcc =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(errors.toFile())
              .start();
    } catch (IOException e) {
      throw new UnavailableException("no gcc");
    }
    try {
      if (!gcc.waitFor(COMPILED_WITHIN_SECONDS, TimeUnit.SECONDS) || gcc.exitValue() != 0) {
        gcc.destroyForcibly();
        throw new UnavailableException("gcc: " + Files.readString(errors));
      }
    } catch (InterruptedException e) {
      gcc.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted");
    }
  }

  @Override
  public String name() {
    return "native";
  }

  @Override
  public Outcome run(Case c) {
    UserState start = c.start();
    MemorySegment.copy(start.gpr(), 0, shared, ValueLayout.JAVA_LONG, 0, 16);
    shared.set(ValueLayout.JAVA_LONG, RIP, start.rip());
    shared.set(ValueLayout.JAVA_LONG, RFLAGS, start.rflags());
    MemorySegment.copy(start.fx(), 0, shared, ValueLayout.JAVA_BYTE, FX, UserState.FX_BYTES);
    MemorySegment.copy(c.memory(), 0, shared, ValueLayout.JAVA_BYTE, IMAGE, Layout.IMAGE_BYTES);
    try {
      toProgram.write(0);
      toProgram.flush();
      if (fromProgram.read() < 0) {
        throw new IllegalStateException(
            "the native processor has ended, by case seed " + c.seed() + ":\n" + c.listing());
      }
    } catch (IOException e) {
      throw new IllegalStateException("the native processor has ended", e);
    }
    passReportedInt1();
    return outcome();
  }

  /**
   * Has RIP be behind an INT1 that was reported as if it were a fault. INT1 is a trap (SDM volume
   * 3, Interrupt 1); some hypervisors, whose guest this host may be, report it with its own
   * address. A single step before an INT1 is told apart by TF.
   */
  private void passReportedInt1() {
    long rip = shared.get(ValueLayout.JAVA_LONG, RIP + OUT);
    int offset = Layout.offset(rip);
    boolean trap =
        shared.get(ValueLayout.JAVA_LONG, VECTOR + OUT) == DB
            && (shared.get(ValueLayout.JAVA_LONG, RFLAGS + OUT) & TF) == 0;
    if (trap && isInt1(offset) && !isInt1(offset - 1)) {
      shared.set(ValueLayout.JAVA_LONG, RIP + OUT, rip + 1);
    }
  }

  private boolean isInt1(int offset) {
    return offset >= 0 && (shared.get(ValueLayout.JAVA_BYTE, IMAGE + offset) & 0xFF) == INT1;
  }

  private Outcome outcome() {
    long[] gpr = new long[16];
    MemorySegment.copy(shared, ValueLayout.JAVA_LONG, OUT, gpr, 0, 16);
    byte[] fx = new byte[UserState.FX_BYTES];
    MemorySegment.copy(shared, ValueLayout.JAVA_BYTE, OUT + FX, fx, 0, fx.length);
    byte[] memory = new byte[Layout.IMAGE_BYTES];
    MemorySegment.copy(shared, ValueLayout.JAVA_BYTE, IMAGE, memory, 0, memory.length);
    int vector = (int) shared.get(ValueLayout.JAVA_LONG, OUT + VECTOR);
    long error = shared.get(ValueLayout.JAVA_LONG, OUT + ERROR);
    long cr2 = shared.get(ValueLayout.JAVA_LONG, OUT + CR2);
    if (vector == PF && Long.compareUnsigned(cr2, NONCANONICAL_FROM) >= 0) {
      error &= ~ERROR_PRESENT; // Linux sets it for addresses of its own, whatever is there
    }
    UserState state =
        new UserState(
            gpr,
            shared.get(ValueLayout.JAVA_LONG, OUT + RIP),
            shared.get(ValueLayout.JAVA_LONG, OUT + RFLAGS),
            fx);
    return new Outcome(vector, error, cr2, Outcome.UNKNOWN, state, memory);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
      toProgram.close();
    } catch (IOException e) {
      // It has ended: nothing is lost.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    arena.close();
    delete(directory);
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path p : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
