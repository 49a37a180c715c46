package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line says and ends with, as far as no machine is needed. */
class CommandLineTest {
  private final InProcess process = new InProcess();
  private final ByteArrayOutputStream out = process.out;

  private int vmm(String... args) {
    return process.run(new byte[0], args);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"run", "restore", "inspect", "diff", "snapshot", "ctl", "backends", "demo"})
  void everyCommandExplainsItself(String command) {
    assertThat(vmm(command, "--help")).isZero();

    assertThat(out.toString(StandardCharsets.UTF_8)).contains("Usage: vmm " + command);
    assertThat(process.errors()).isEmpty();
  }

  @Test
  void theHelpNamesEveryCommandAndExitCode() {
    assertThat(vmm("--help")).isZero();

    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains(
            "run ", "restore ", "inspect ", "diff ", "snapshot ", "ctl ", "backends ", "demo ")
        .contains("debug exit port", "--save-when", "Examples:");
  }

  @Test
  void theOptionsThatProgramsDependOnAreThere() {
    vmm("run", "--help");

    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("--backend", "--memory", "--cpus", "--kernel", "--initrd", "--append", "--device")
        .contains(
            "--clock",
            "--timeout",
            "--control",
            "--gdb",
            "--gdb-wait",
            "--save-when",
            "--save",
            "--exit-after-save");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '"',
      textBlock =
          """
          run --no-such-option                                  ! --no-such-option
          frobnicate                                            ! frobnicate
          run --memory lots --kernel k                          ! not a memory size: 'lots'
          run --timeout soon --kernel k                         ! not a time: 'soon'
          run --backend xen --kernel k                          ! 'xen' is not one of auto, software, kvm
          run --clock sun --kernel k                            ! 'sun' is not one of real, virtual
          run                                                   ! --kernel FILE is missing
          run --kernel k --save-when x                          ! also needs --save FILE
          run --kernel k --save x                               ! also needs --save-when TEXT
          run --kernel k --exit-after-save                      ! --exit-after-save needs
          run --kernel k --live                                 ! --live, --compression and --layout tell how
          restore f --compression fast                          ! --live, --compression and --layout tell how
          restore f --save-when x --save y --live --exit-after-save    ! exclude one another
          restore f --save-when x --save y --layout mapped --compression small ! is not compressed
          restore f --save-when x --save y --compression zstd   ! expected one of [none, fast, small]
          restore f --clock sun                                 ! 'sun' is not one of continue, catch-up
          run --kernel k --gdb-wait                             ! --gdb-wait needs --gdb
          run --kernel k --gdb 0                                ! '0' is not a port from 1 to 65535
          restore f --gdb 65536                                 ! '65536' is not a port from 1 to 65535
          ctl                                                   ! SOCKET
          ctl s pause --live                                    ! --live belongs to ctl snapshot
          ctl s snapshot f --live --suspend                     ! exclude one another
          ctl s snapshot                                        ! snapshot needs a FILE
          ctl s status f                                        ! takes no file: 'f'
          ctl s pause --suspend                                 ! --suspend belongs to ctl snapshot
          ctl s snapshot - --suspend                            ! --suspend needs a file
          ctl s dump --address 1                                ! need one another
          ctl s dump --address x --length 1                     ! 'x' is not a number
          run --kernel k --device toaster                       ! toaster: no such type; there are
          run --kernel k --device uart16550,slices=2            ! no key 'slices'; there are port, irq, path
          run --kernel k --device uart16550,port=much           ! key 'port': 'much' is not a number
          run --kernel k --device uart16550,irq=99              ! irq
          run --kernel k --device uart16550,irq                 ! expected key=value, found 'irq'
          restore                                               ! FILE|-
          """)
  void badUsageIsOneClearMessageAndCodeTwo(String line, String message) {
    assertThat(vmm(line.strip().split(" +"))).isEqualTo(ExitCode.USAGE);

    assertThat(process.errors()).startsWith("vmm: ").contains(message).doesNotContain("\tat ");
    assertThat(out.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost:1234", "localhost", ":1234", "127.0.0.1", "-1", "+80", "80x"})
  void aDebuggersPortIsANumberAlone(String text) {
    assertThat(vmm("restore", "f", "--gdb", text)).isEqualTo(ExitCode.USAGE);

    assertThat(process.errors())
        .contains("--gdb", "'" + text + "' is neither a port alone, such as 1234");
  }

  @Test
  void aDebuggersSocketMayHaveAnyPath() {
    MachineOptions.GdbPort reader = new MachineOptions.GdbPort();

    for (String path : List.of("gdb.sock", "./localhost:1234", "/tmp/1", "./80x")) {
      assertThat(reader.convert(path)).isEqualTo(UnixDomainSocketAddress.of(path));
    }
  }

  /** As of a script's variable that is not set. */
  @ParameterizedTest
  @CsvSource({
    "run;--kernel;, --kernel",
    "run;--kernel;k;--initrd;, --initrd",
    "run;--kernel;k;--save-when;x;--save;, --save",
    "run;--kernel;k;--control;, --control",
    "run;--kernel;k;--gdb;, --gdb",
    "run;--kernel;k;--vsock;, --vsock",
    "restore;, FILE",
    "restore;f;--parent;, --parent",
    "inspect;, FILE",
    "ctl;s;snapshot;, FILE",
    "ctl;;status, SOCKET",
    "snapshot;convert;f;--layout;mapped;-o;, --output",
  })
  void anEmptyPathIsNamedByItsOption(String line, String option) {
    assertThat(vmm(line.split(";", -1))).isEqualTo(ExitCode.USAGE);

    assertThat(process.errors()).contains(option, "the path is empty");
  }

  @Test
  void anErrorOfTheJvmEndsWithACodeThatNoGuestHas() {
    InputStream hungry =
        new InputStream() {
          @Override
          public int read() {
            throw new OutOfMemoryError("Java heap space");
          }
        };

    assertThat(process.run(hungry, "restore", "-")).isEqualTo(ExitCode.FAILURE);
    assertThat(process.errors().lines())
        .containsExactly(
            "vmm: not enough memory for Java: Java heap space; VMM_JAVA_OPTS=-Xmx512m gives a heap of"
                + " 512 MiB");
  }

  @Test
  void noCommandIsBadUsage() {
    assertThat(vmm()).isEqualTo(ExitCode.USAGE);
    assertThat(process.errors()).contains("which command?");
  }

  @Test
  void theDevicesAndTheirKeysAreListed() {
    assertThat(vmm("run", "--device", "help")).isZero();

    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("uart16550: 16550A serial port", "default 1016 (0x3f8)", "path=PATH");
  }

  @Test
  void aFileThatIsNotThereIsNamed(@TempDir Path directory) {
    Path missing = directory.resolve("missing.vmm");

    assertThat(vmm("inspect", missing.toString())).isEqualTo(ExitCode.FILE);
    assertThat(process.errors())
        .isEqualToNormalizingNewlines("vmm: no such file: " + missing + "\n");
  }

  @Test
  void aFileThatIsNoSnapshotIsNotWhole(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("notes.txt"), "no snapshot\n");

    assertThat(vmm("inspect", file.toString())).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("NOT WHOLE");
  }

  @Test
  void jsonSaysThatAFileIsNotWholeToo(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("notes.txt"), "no snapshot\n");

    assertThat(vmm("inspect", "--json", file.toString())).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("\"whole\" : false", "\"fault\"");
  }
}
