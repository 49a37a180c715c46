package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A guest that is saved in the middle of a word goes on in another command. */
@Timeout(1200)
class RestoreCommandTest {
  private static final int ROM_BYTES = 256;
  private static final int RESET_VECTOR = ROM_BYTES - 16;
  private static final int WAIT = 15;

  /**
   * Says {@code ready}, echoes what is typed up to a {@code q}, and ends with 21.
   *
   * <pre>
   *       mov dx, 0x3F8
   *       mov si, msg
   * next: cs lodsb
   *       test al, al
   *       jz wait
   *       out dx, al
   *       jmp next
   * wait: mov dx, 0x3FD
   *       in al, dx
   *       test al, 1
   *       jz wait
   *       mov dx, 0x3F8
   *       in al, dx
   *       out dx, al
   *       cmp al, 'q'
   *       jne wait
   * quit: mov dx, 0xF4
   *       mov al, 21
   *       out dx, al
   * stop: hlt
   *       jmp stop
   * msg:  db "ready", 10, 0
   * </pre>
   */
  private static final String ECHO =
      "baf803 be29ff 2eac 84c0 7403 ee ebf7 bafd03 ec a801 74f8 baf803 ec ee 3c71 75ef"
          + " baf400 b015 ee f4 ebfd 72656164790a 00";

  /** {@code jmp quit}, in the place of the wait. */
  private static final String JUMP_TO_QUIT = "eb0f";

  /** {@code jmp} to the image's first byte. */
  private static final String RESET = "e90dff";

  private static final int EXIT_CODE = 21 << 1 | 1;

  @TempDir private Path directory;
  private final InProcess process = new InProcess();
  private final ByteArrayOutputStream out = process.out;

  private int vmm(byte[] input, String... args) {
    return process.run(input, args);
  }

  private static void put(byte[] rom, int at, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(bytes, 0, rom, at, bytes.length);
  }

  /** A snapshot of the guest that has said {@code rea}. */
  private byte[] saved(boolean waits) throws IOException {
    return saved(waits, ClockMode.VIRTUAL);
  }

  private byte[] saved(boolean waits, ClockMode clock) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = atRea(waits, clock)) {
      vm.snapshotTo(bytes);
    }
    return bytes.toByteArray();
  }

  /** The guest that has said {@code rea}, or under real time nothing yet. */
  private Vm atRea(boolean waits, ClockMode clock) throws IOException {
    byte[] rom = new byte[ROM_BYTES];
    put(rom, 0, ECHO);
    put(rom, RESET_VECTOR, RESET);
    if (!waits) {
      put(rom, WAIT, JUMP_TO_QUIT);
    }
    Path image = Files.write(directory.resolve("rom"), rom);
    VmSpec spec =
        VmSpec.builder("echo")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(1))
            .clock(clock)
            .boot(new BootSource.ResetVector())
            .device("rom", new BootRomConfig(image.toString()))
            .device("com1", UartConfig.DEFAULT)
            .device("exit", DebugExitConfig.DEFAULT)
            .build();
    Vm vm = Vm.create(spec);
    Files.delete(image);
    while (clock == ClockMode.VIRTUAL && !vm.console("com1").transcript().equals("rea")) {
      vm.step(1);
    }
    return vm;
  }

  @Test
  void aSnapshotOnStandardInputGoesOn() throws IOException {
    assertThat(vmm(saved(false), "restore", "-")).isEqualTo(EXIT_CODE);

    assertThat(out).hasToString("dy\n");
    assertThat(process.errors()).isEmpty();
  }

  @Test
  void whatIsBehindASnapshotOnStandardInputDoesNotMatter() throws IOException {
    byte[] snapshot = saved(false);
    byte[] more = Arrays.copyOf(snapshot, snapshot.length + 1000);

    assertThat(vmm(more, "restore", "-")).isEqualTo(EXIT_CODE);
    assertThat(out).hasToString("dy\n");
  }

  @Test
  void aSnapshotCutShortOnStandardInputIsRefused() throws IOException {
    byte[] snapshot = saved(false);

    assertThat(vmm(Arrays.copyOf(snapshot, snapshot.length - 1), "restore", "-"))
        .isEqualTo(ExitCode.SNAPSHOT);
    assertThat(out.size()).isZero();
    assertThat(process.errors()).startsWith("vmm: ");
  }

  /** More than the UART's queue holds, and all of it there before the guest goes on. */
  @Test
  void inputThatIsThereAtOnceReachesTheGuestWhole() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true));
    String typed = "the quick brown fox ".replace('q', 'k').repeat(50) + "q";

    assertThat(vmm(typed.getBytes(StandardCharsets.US_ASCII), "restore", file.toString()))
        .isEqualTo(EXIT_CODE);
    assertThat(out).hasToString("dy\n" + typed);
  }

  /** Many times what waits for the guest at most. */
  @Test
  void inputOfAnyLengthReachesTheGuestWhole() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true));
    byte[] typed = new byte[900_000];
    Arrays.fill(typed, (byte) 'y');
    typed[typed.length - 1] = 'q';

    assertThat(vmm(typed, "restore", file.toString())).isEqualTo(EXIT_CODE);
    byte[] all = new byte[3 + typed.length];
    System.arraycopy("dy\n".getBytes(StandardCharsets.US_ASCII), 0, all, 0, 3);
    System.arraycopy(typed, 0, all, 3, typed.length);
    assertThat(out.toByteArray()).isEqualTo(all);
  }

  /** As {@code yes | ./vmm restore}, with a guest that takes nothing. */
  @Test
  void ofInputWithoutAnEndNoMoreIsReadThanWaitsForTheGuest() throws IOException {
    Path file = Files.write(directory.resolve("deaf.vmm"), savedDeaf());
    AtomicLong read = new AtomicLong();
    InputStream yes =
        new InputStream() {
          @Override
          public int read() {
            read.incrementAndGet();
            return 'y';
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            Arrays.fill(target, offset, offset + length, (byte) 'y');
            read.addAndGet(length);
            return length;
          }
        };

    assertThat(process.run(yes, "restore", file.toString(), "--timeout", "2s"))
        .isEqualTo(ExitCode.TIMEOUT);

    assertThat(read.get()).isPositive().isLessThanOrEqualTo((256 << 10) + 2 * 4096);
  }

  /** A snapshot of a guest that runs and looks at nothing. */
  private byte[] savedDeaf() throws IOException {
    byte[] rom = new byte[ROM_BYTES];
    put(rom, RESET_VECTOR, "ebfe"); // jmp $
    Path image = Files.write(directory.resolve("deaf"), rom);
    VmSpec spec =
        VmSpec.builder("deaf")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(1))
            .boot(new BootSource.ResetVector())
            .device("rom", new BootRomConfig(image.toString()))
            .device("com1", UartConfig.DEFAULT)
            .build();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.create(spec)) {
      vm.snapshotTo(bytes);
    }
    return bytes.toByteArray();
  }

  @Test
  void aDeltaGoesOnWithItsParentsBesideItOrGiven() throws IOException {
    // given a chain of three, the oldest elsewhere
    Path first = Files.createDirectory(directory.resolve("elsewhere")).resolve("first");
    Path second = directory.resolve("of any name");
    Path third = directory.resolve("third.vmm");
    try (Vm vm = atRea(false, ClockMode.VIRTUAL);
        Snapshot one = vm.snapshot()) {
      one.writeTo(first);
      vm.memory().writeInt(0x5000, 1);
      try (Snapshot two = vm.snapshot(one)) {
        two.writeTo(second);
        vm.memory().writeInt(0x6000, 1);
        try (Snapshot three = vm.snapshot(two)) {
          three.writeTo(third);
        }
      }
    }

    // then
    assertThat(vmm(new byte[0], "restore", third.toString())).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors()).contains("its parent", "was not given");
    assertThat(vmm(new byte[0], "restore", third.toString(), "--parent", first.toString()))
        .isEqualTo(EXIT_CODE);
    assertThat(out).hasToString("dy\n");
    String[] piped = {"restore", "-", "--parent", second.toString(), "--parent", first.toString()};
    assertThat(vmm(Files.readAllBytes(third), piped)).isEqualTo(EXIT_CODE);
    assertThat(out).hasToString("dy\ndy\n");
  }

  @Test
  void aParentThatIsNoneIsNamed() throws IOException {
    Path whole = Files.write(directory.resolve("whole.vmm"), saved(false));
    Path noSnapshot = Files.writeString(directory.resolve("notes.txt"), "no snapshot");
    String typo = directory.resolve("typo").toString();
    Path delta = Files.createDirectory(directory.resolve("elsewhere")).resolve("delta.vmm");
    try (Vm vm = atRea(false, ClockMode.VIRTUAL);
        Snapshot one = vm.snapshot();
        Snapshot two = vm.snapshot(one)) {
      two.writeTo(delta);
    }

    // where a parent is needed, and where none is
    for (Path file : List.of(delta, whole)) {
      assertThat(vmm(new byte[0], "restore", file.toString(), "--parent", typo))
          .isEqualTo(ExitCode.FILE);
    }
    assertThat(vmm(new byte[0], "snapshot", "verify", whole.toString(), "--parent", typo))
        .isEqualTo(ExitCode.FILE);
    assertThat(process.errors().lines())
        .hasSize(3)
        .allMatch(line -> line.equals("vmm: " + typo + ": no such file for --parent"));
    assertThat(vmm(new byte[0], "restore", delta.toString(), "--parent", noSnapshot.toString()))
        .isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors())
        .contains("vmm: in the parent " + noSnapshot + ": truncated snapshot");
  }

  @Test
  void aMappedFileIsSavedMappedAndGoesOn() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true));
    Path mapped = directory.resolve("mapped.vmm");
    assertThat(
            vmm(
                new byte[0],
                "restore",
                file.toString(),
                "--save-when",
                "dy",
                "--save",
                mapped.toString(),
                "--layout",
                "mapped",
                "--exit-after-save"))
        .isZero();
    assertThat(vmm(new byte[0], "inspect", mapped.toString())).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("mapped");
    out.reset();

    assertThat(vmm(new byte[] {'a', 'q'}, "restore", mapped.toString())).isEqualTo(EXIT_CODE);
    assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("aq");

    // Mapped, not read: the checksum of the memory is not looked at.
    try (RandomAccessFile damaged = new RandomAccessFile(mapped.toFile(), "rw")) {
      damaged.seek(4096 + 0x8000);
      damaged.write(1);
    }
    assertThat(vmm(new byte[] {'q'}, "restore", mapped.toString())).isEqualTo(EXIT_CODE);
    assertThat(vmm(Files.readAllBytes(mapped), "restore", "-")).isEqualTo(ExitCode.SNAPSHOT);
  }

  private String[] saving(String target, String... more) throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true));
    List<String> args =
        new ArrayList<>(List.of("restore", file.toString(), "--save-when", "dy", "--save", target));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  /** Input that is typed once there is a message: {@code aq}. */
  private InputStream typedAfter(String message) {
    return new InputStream() {
      private int at;

      @Override
      public int read() {
        while (!process.errors().contains(message)) {
          Thread.onSpinWait();
        }
        return at < 2 ? "aq".charAt(at++) : -1;
      }

      @Override
      public int read(byte[] target, int offset, int length) {
        int next = read();
        target[offset] = (byte) next;
        return next < 0 ? -1 : 1;
      }
    };
  }

  /** {@code /dev/full} refuses each write as a full disk does. */
  @Test
  void theGuestGoesOnAfterASaveThatFails() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/full")));

    assertThat(process.run(typedAfter("can't save"), saving("/dev/full"))).isEqualTo(ExitCode.FILE);

    assertThat(out).hasToString("dy\naq");
    assertThat(process.errors().lines())
        .containsExactly(
            "vmm: can't save: /dev/full: No space left on device; the guest goes on",
            "vmm: nothing saved: /dev/full: No space left on device");
  }

  @Test
  void aMachineThatIsToEndWithItsSaveEndsWhenThatFails() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/full")));

    assertThat(vmm(new byte[0], saving("/dev/full", "--exit-after-save"))).isEqualTo(ExitCode.FILE);

    assertThat(process.errors().lines()).containsExactly("vmm: /dev/full: No space left on device");
  }

  @Test
  void aPlaceWhereNothingCanBeSavedIsRefusedAtTheStart() throws IOException {
    String missing = directory.resolve("no/s.vmm").toString();

    assertThat(vmm(new byte[] {'q'}, saving(missing))).isEqualTo(ExitCode.FILE);
    assertThat(vmm(new byte[] {'q'}, saving(directory.toString()))).isEqualTo(ExitCode.FILE);
    assertThat(vmm(new byte[0], "run", "--kernel", "none", "--save-when", "x", "--save", missing))
        .isEqualTo(ExitCode.FILE);
    assertThat(vmm(new byte[0], "demo", "--keep", missing)).isEqualTo(ExitCode.FILE);

    assertThat(out.size()).isZero();
    String noDirectory =
        "vmm: %s: there is no directory %s for it".formatted(missing, directory.resolve("no"));
    assertThat(process.errors().lines())
        .containsExactly(
            noDirectory,
            "vmm: " + directory + ": is a directory, not a file",
            noDirectory,
            noDirectory);
  }

  @Test
  void whatIsSavedIsPackedAsAsked() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true));
    Path plain = save(file, "--compression", "none");
    Path small = save(file, "--compression", "small");

    assertThat(Files.size(small)).isLessThan(Files.size(plain));
    assertThat(vmm(new byte[] {'q'}, "restore", small.toString())).isEqualTo(EXIT_CODE);
  }

  @Test
  void aLiveSaveSaysHowLongTheGuestStood() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(true, ClockMode.REAL));
    Path live = directory.resolve("live.vmm");

    // The guest waits for input behind the text; the end of the run is that of --timeout.
    assertThat(
            vmm(
                new byte[0],
                "restore",
                file.toString(),
                "--save-when",
                "ready",
                "--save",
                live.toString(),
                "--live",
                "--timeout",
                "5s"))
        .isEqualTo(ExitCode.TIMEOUT);

    assertThat(process.errors())
        .containsPattern("saved .*live.vmm \\(.*; the guest stood for [0-9.]+ ms\\)");
    assertThat(vmm(new byte[] {'q'}, "restore", live.toString())).isEqualTo(EXIT_CODE);
  }

  /** Restores a file and saves it again at its next words. */
  private Path save(Path file, String... how) throws IOException {
    Path target = Files.createTempFile(directory, "saved", ".vmm");
    List<String> args =
        new ArrayList<>(
            List.of("restore", file.toString(), "--save-when", "dy", "--save", target.toString()));
    args.add("--exit-after-save");
    args.addAll(List.of(how));
    assertThat(vmm(new byte[0], args.toArray(String[]::new))).as(process.errors()).isZero();
    return target;
  }

  @Test
  void theIdentityNameAndClockOfTheMachineAreChosen() throws IOException {
    Path file = Files.write(directory.resolve("echo.vmm"), saved(false));
    Path real = Files.write(directory.resolve("real.vmm"), saved(false, ClockMode.REAL));

    assertThat(vmm(new byte[0], "restore", file.toString(), "--clone", "--name", "second"))
        .isEqualTo(EXIT_CODE);
    assertThat(vmm(new byte[0], "restore", real.toString(), "--clock", "catch-up"))
        .isEqualTo(EXIT_CODE);
    assertThat(vmm(new byte[0], "restore", file.toString(), "--clock", "continue"))
        .isEqualTo(EXIT_CODE);
    assertThat(vmm(new byte[0], "restore", file.toString(), "--clock", "catch-up"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(process.errors()).contains("--clock catch-up: the machine's time is virtual");
  }
}
