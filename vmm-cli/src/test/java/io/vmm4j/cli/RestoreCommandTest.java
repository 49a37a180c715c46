package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A guest that is saved in the middle of a word goes on in another command. */
@Timeout(120)
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
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int vmm(byte[] input, String... args) {
    Streams streams =
        new Streams(
            new ByteArrayInputStream(input),
            out,
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false);
    return new Main(streams).execute(args);
  }

  private static void put(byte[] rom, int at, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(bytes, 0, rom, at, bytes.length);
  }

  /** A snapshot of the guest that has said {@code rea}. */
  private byte[] saved(boolean waits) throws IOException {
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
            .clock(ClockMode.VIRTUAL)
            .boot(new BootSource.ResetVector())
            .device("rom", new BootRomConfig(image.toString()))
            .device("com1", UartConfig.DEFAULT)
            .device("exit", DebugExitConfig.DEFAULT)
            .build();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.create(spec)) {
      while (!vm.console("com1").transcript().equals("rea")) {
        vm.step(1);
      }
      vm.snapshotTo(bytes);
    }
    Files.delete(image);
    return bytes.toByteArray();
  }

  @Test
  void aSnapshotOnStandardInputGoesOn() throws IOException {
    assertThat(vmm(saved(false), "restore", "-")).isEqualTo(EXIT_CODE);

    assertThat(out).hasToString("dy\n");
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
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
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("vmm: ");
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
}
