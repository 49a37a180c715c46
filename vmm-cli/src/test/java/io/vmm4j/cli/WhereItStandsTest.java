package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the command line says of a machine whose time is over, or whose guest is dead. */
@Timeout(1200)
class WhereItStandsTest {
  private static final int ROM_BYTES = 0x1_0000;

  @TempDir private Path directory;
  private final InProcess process = new InProcess();

  /** Runs code of a boot ROM that is entered at F000:0000. */
  private int run(String code, String... options) throws IOException {
    byte[] rom = new byte[ROM_BYTES];
    put(rom, 0, code);
    put(rom, 0xFFF0, "e90d00"); // jmp to the first byte
    Path image = Files.write(directory.resolve("rom"), rom);
    List<String> line =
        new ArrayList<>(
            List.of("run", "--backend", "software", "--device", "bootrom,image=" + image));
    line.addAll(List.of(options));
    return process.run(new byte[0], line.toArray(String[]::new));
  }

  private static void put(byte[] rom, int at, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(bytes, 0, rom, at, bytes.length);
  }

  @Test
  void aTimeoutTellsWhereTheVcpusAreAndTheLastLines() throws IOException {
    // mov dx, 0x3f8; mov al, 'o'; out dx, al; mov al, 'k'; out dx, al; jmp $
    int code = run("baf803 b06f ee b06b ee ebfe", "--timeout", "2s");

    assertThat(code).isEqualTo(ExitCode.TIMEOUT);
    assertThat(process.errors())
        .contains("timeout: the machine ran for")
        .contains("vcpu/0: running in real mode at cs:rip f000:9")
        .contains("no events pending")
        .contains("last lines of com1:", "  | ok");
  }

  @Test
  void aTimeoutOfAHaltedGuestSaysSo() throws IOException {
    assertThat(run("fa f4 ebfd", "--timeout", "2s")).isEqualTo(ExitCode.TIMEOUT);
    assertThat(process.errors())
        .contains("vcpu/0: halted in real mode")
        .contains("every vCPU has halted with interrupts disabled (see --end-when-dead)");
  }

  @Test
  void aDeadGuestEndsItsMachineWhereThatIsAskedFor() throws IOException {
    assertThat(run("fa f4 ebfd", "--end-when-dead")).isEqualTo(ExitCode.DEAD);
    assertThat(process.errors())
        .contains("the guest is dead: every vCPU has halted with interrupts disabled")
        .contains("vcpu/0: halted");
  }
}
