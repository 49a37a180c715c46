package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MemorySource;
import io.vmm4j.snapshot.SnapshotInspection;
import io.vmm4j.snapshot.SnapshotWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the commands on files do with the snapshots of version 1.0. */
class SnapshotFilesTest {
  private static final Path GOLDEN =
      Path.of("../vmm-engine/src/test/resources/io/vmm4j/engine/golden/1.0");
  private static final Path HALTED = GOLDEN.resolve("halted.vmm");
  private static final Path IN_A_HANDLER = GOLDEN.resolve("in-a-handler.vmm");
  private static final Path STI_SHADOW = GOLDEN.resolve("sti-shadow.vmm");
  private static final Path EVERY_DEVICE = GOLDEN.resolve("every-device.vmm");

  @TempDir Path directory;

  private final InProcess process = new InProcess();
  private final ByteArrayOutputStream out = process.out;

  private int vmm(Object... args) {
    return process.run(
        new byte[0], Arrays.stream(args).map(Object::toString).toArray(String[]::new));
  }

  private String output() {
    String text = out.toString(StandardCharsets.UTF_8);
    out.reset();
    return text;
  }

  private Path damaged() throws IOException {
    byte[] bytes = Files.readAllBytes(HALTED);
    bytes[bytes.length / 2] ^= 1;
    return Files.write(directory.resolve("damaged.vmm"), bytes);
  }

  private static void assertJson(String text) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      while (parser.nextToken() != null) {
        // Every token is well formed, or this throws.
      }
    }
  }

  private static SnapshotInspection golden() throws IOException {
    try (InputStream in = Files.newInputStream(HALTED)) {
      return SnapshotInspection.of(in, SnapshotLimits.standard());
    }
  }

  /** A file whose texts hold escapes that steer a terminal; it has no state. */
  private Path steering() throws IOException {
    SnapshotInspection golden = golden();
    MachineDescription machine = golden.machine().orElseThrow();
    MachineDescription.Device device = machine.devices().getFirst();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined();
        SnapshotWriter writer = new SnapshotWriter(bytes, SnapshotCompression.NONE)) {
      writer.prologue(golden.prologue().orElseThrow());
      writer.machine(
          new MachineDescription(
              "name\u001b]0;title\u0007",
              machine.memoryBytes(),
              machine.cpus(),
              "board\u009b2J",
              List.of(
                  new MachineDescription.Device(
                      "path\nforged line",
                      "type\u001b[31m",
                      device.configVersion(),
                      device.config())),
              machine.clock(),
              machine.tscFrequencyHz(),
              machine.startTime(),
              machine.cpuid(),
              machine.randomSeed(),
              machine.consoleLimitBytes(),
              "backend\r",
              machine.regions().subList(0, 1),
              machine.memoryMap()));
      writer.memory(MachineDescription.RAM, MemorySource.of(arena.allocate(machine.memoryBytes())));
      writer.finish();
    }
    return Files.write(directory.resolve("steering.vmm"), bytes.toByteArray());
  }

  @Test
  void nothingInAFileSteersTheTerminal() throws IOException {
    Path file = steering();

    assertThat(vmm("inspect", file)).isZero();
    String text = output();
    assertThat(text).doesNotContain("\u001b", "\u0007", "\u009b", "\r");
    assertThat(text)
        .contains("Machine \"name\\u001b]0;title\\u0007\"", "board\\u009b2J", "type\\u001b[31m");
    assertThat(text.lines()).noneMatch(line -> line.startsWith("forged line"));
    assertThat(vmm("inspect", file, "--json")).isZero();
    assertThat(output()).doesNotContain("\u001b", "\u0007", "\u009b", "\r");
    assertThat(vmm("restore", file)).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors()).contains("type\\u001b[31m", "path forged line");
    assertThat(process.errors()).doesNotContain("\u001b", "\u0007", "\u009b", "\r");
  }

  @Test
  void aDirectoryIsNamed() {
    assertThat(vmm("restore", directory)).isEqualTo(ExitCode.FILE);
    assertThat(vmm("inspect", directory)).isEqualTo(ExitCode.FILE);
    assertThat(process.errors().lines())
        .hasSize(2)
        .allMatch(line -> line.equals("vmm: " + directory + ": is a directory, not a snapshot"));
  }

  @Test
  void aWholeFileIsVerifiedWithItsMemory() {
    assertThat(vmm("snapshot", "verify", HALTED, IN_A_HANDLER)).isZero();
    assertThat(output().lines())
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).matches(".*\\.vmm: whole, memory [0-9a-f]{64}"));
  }

  @Test
  void aDamagedFileIsNamedAndTheOthersAreVerifiedNevertheless() throws IOException {
    Path damaged = damaged();

    assertThat(vmm("snapshot", "verify", damaged, HALTED)).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors()).contains(damaged + ": corrupt snapshot at");
    assertThat(output()).contains("halted.vmm: whole");
    assertThat(vmm("snapshot", "verify", directory.resolve("none"))).isEqualTo(ExitCode.FILE);
  }

  @Test
  void aFileThatCanNotBeReadDoesNotKeepTheOthersFromBeingVerified() throws IOException {
    Path missing = directory.resolve("none");
    Path damaged = damaged();

    assertThat(vmm("snapshot", "verify", HALTED, missing, IN_A_HANDLER)).isEqualTo(ExitCode.FILE);
    assertThat(output().lines()).hasSize(2).allMatch(line -> line.contains(": whole"));
    assertThat(vmm("snapshot", "verify", damaged, missing, directory, HALTED))
        .isEqualTo(ExitCode.SNAPSHOT);
    assertThat(output()).contains("halted.vmm: whole");
    assertThat(process.errors())
        .contains(
            "vmm: no such file: " + missing,
            "vmm: " + directory + ": is a directory, not a snapshot",
            damaged + ": corrupt snapshot at");
  }

  @Test
  void anOldFileIsUpgradedAndStaysTheSameMachine() throws IOException {
    // when
    Path upgraded = directory.resolve("new.vmm");
    assertThat(vmm("snapshot", "upgrade", EVERY_DEVICE, "-o", upgraded)).isZero();

    // then
    assertThat(output())
        .contains("state of 'com1' (uart16550): version 1 -> 3")
        .contains("state of 'testdev' (pc-testdev): version 1 -> 2");
    assertThat(Files.size(upgraded)).isLessThan(Files.size(EVERY_DEVICE) / 2);
    assertThat(vmm("snapshot", "verify", upgraded)).isZero();
    output();
    assertThat(vmm("inspect", upgraded)).isZero();
    assertThat(output()).contains("receiverBuffer", "pc-testdev), version 2");

    // and again there is nothing to do
    assertThat(vmm("snapshot", "upgrade", upgraded, "-o", upgraded)).isZero();
    assertThat(output()).contains("every state that is known here was of its newest version");
  }

  @Test
  void aFileThatCanNotBeUpgradedLeavesTheTargetAsItWas() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "old");

    assertThat(vmm("snapshot", "upgrade", damaged(), "-o", target)).isEqualTo(ExitCode.SNAPSHOT);

    assertThat(target).hasContent("old");
    assertThat(directory).isDirectoryNotContaining(file -> file.toString().endsWith(".tmp"));
  }

  @Test
  void aConvertedFileHoldsTheSame() throws IOException {
    Path mapped = directory.resolve("mapped.vmm");
    Path back = directory.resolve("back.vmm");
    assertThat(vmm("snapshot", "convert", HALTED, "--layout", "mapped", "-o", mapped)).isZero();
    assertThat(vmm("snapshot", "convert", mapped, "--compression", "small", "-o", back)).isZero();

    assertThat(vmm("snapshot", "verify", mapped, back)).isZero();
    assertThat(vmm("diff", HALTED, mapped)).isZero();
    assertThat(vmm("diff", HALTED, back)).isZero();

    // a mapped file is upgraded in its layout
    Path upgraded = directory.resolve("upgraded.vmm");
    assertThat(vmm("snapshot", "upgrade", mapped, "-o", upgraded)).isZero();
    assertThat(vmm("snapshot", "verify", upgraded)).isZero();
    assertThat(Files.size(upgraded)).isGreaterThan(2 << 20);
  }

  @Test
  void whatCanNotBeConvertedIsSaid() {
    assertThat(vmm("snapshot", "convert", HALTED, "-o", directory.resolve("x")))
        .isEqualTo(ExitCode.USAGE);
    assertThat(
            vmm(
                "snapshot",
                "convert",
                HALTED,
                "-o",
                directory.resolve("x"),
                "--layout",
                "mapped",
                "--compression",
                "fast"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(process.errors())
        .contains("convert to what?")
        .contains("--layout mapped is not compressed");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aFullDiskIsNamedByTheFileThatDoesNotFit() throws Exception {
    Path target = Files.writeString(directory.resolve("target"), "old");
    // The memory alone fits into a file, and no file that has a head before it.
    long memoryKibibytes = golden().machine().orElseThrow().totalMemoryBytes() >> 10;
    String limited = "ulimit -f %d; exec \"$@\"".formatted(memoryKibibytes);
    List<String> command = new ArrayList<>(List.of("bash", "-c", limited, "bash"));
    command.addAll(
        Launcher.command(
            "snapshot",
            "convert",
            HALTED.toString(),
            "--layout",
            "mapped",
            "-o",
            target.toString()));

    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(said).isEqualTo(ExitCode.FILE);
    assertThat(said).contains("vmm: " + target + ": File too large");
    assertThat(target).hasContent("old");
    assertThat(vmm("snapshot", "convert", HALTED, "--compression", "none", "-o", "/dev/full"))
        .isEqualTo(ExitCode.FILE);
    assertThat(this.process.errors()).contains("vmm: /dev/full: No space left on device");
  }

  @Test
  void aDeltaIsFlattenedWithTheParentsBesideIt() throws IOException {
    Path corpus = Path.of("../vmm-snapshot/src/test/resources/io/vmm4j/snapshot/corpus");
    Path delta = Files.copy(corpus.resolve("delta.vmm"), directory.resolve("delta.vmm"));
    Path whole = directory.resolve("whole.vmm");

    // when its parent is not there
    assertThat(vmm("snapshot", "flatten", delta, "-o", whole)).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors()).contains("its parent", "was not given");
    assertThat(vmm("snapshot", "verify", delta)).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(whole).doesNotExist();

    // when it is given
    Path parent = corpus.resolve("delta-parent.vmm");
    assertThat(vmm("snapshot", "flatten", delta, "--parent", parent, "-o", whole)).isZero();
    assertThat(vmm("snapshot", "verify", whole)).isZero();
    assertThat(vmm("diff", delta, whole, "--parent", parent)).isZero();

    // when it is beside it, under any name
    Files.copy(parent, directory.resolve("something.else"));
    output();
    assertThat(vmm("snapshot", "verify", delta)).isZero();
    assertThat(output()).contains("delta.vmm: whole, memory ");
  }

  @Test
  void theSameHasNoDifference() throws IOException {
    assertThat(vmm("diff", HALTED, HALTED)).isZero();
    assertThat(output()).isEqualTo("The same.\n");
    assertThat(vmm("diff", HALTED, HALTED, "--json")).isZero();
    assertThat(output()).contains("\"same\" : true");
  }

  @Test
  void fieldsAndPagesThatDifferAreShown() throws IOException {
    assertThat(vmm("diff", HALTED, IN_A_HANDLER)).isEqualTo(ExitCode.DIFFERENT);
    assertThat(output())
        .contains("vcpu/0 (vcpu)", "activity", "\"HALTED\" -> \"RUNNING\"")
        .contains("pic (i8259-pic)", "master.inService")
        .doesNotContain("Memory");
    assertThat(vmm("diff", STI_SHADOW, HALTED)).isEqualTo(ExitCode.DIFFERENT);
    assertThat(output())
        .contains("ram: 2 of 512 pages differ", "0x00009000 to 0x0000afff, 2 pages");

    assertThat(vmm("diff", STI_SHADOW, HALTED, "--json")).isEqualTo(ExitCode.DIFFERENT);
    String json = output();
    assertJson(json);
    assertThat(json)
        .contains("\"same\" : false", "\"field\" : \"activity\"", "\"b\" : \"HALTED\"")
        .contains("\"differentPages\" : 2", "\"offset\" : 36864", "\"bytes\" : 8192");
  }

  @Test
  void aDamagedFileIsNotCompared() throws IOException {
    assertThat(vmm("diff", HALTED, damaged())).isEqualTo(ExitCode.SNAPSHOT);
    assertThat(process.errors()).contains("damaged.vmm is not whole");
    assertThat(out.size()).isZero();
  }

  @Test
  void everySnapshotCommandExplainsItself() {
    for (String command : new String[] {"verify", "flatten", "upgrade", "convert"}) {
      assertThat(vmm("snapshot", command, "--help")).isZero();
      assertThat(output()).contains("Usage: vmm snapshot " + command, "Exit codes:", "Examples:");
    }
    assertThat(vmm("snapshot")).isEqualTo(ExitCode.USAGE);
    assertThat(process.errors()).contains("which command? verify");
  }

  @Test
  void anInspectionNamesTheParentTheMemoryAndTheLayout() throws IOException {
    Path corpus = Path.of("../vmm-snapshot/src/test/resources/io/vmm4j/snapshot/corpus");
    Path delta = corpus.resolve("delta.vmm");
    vmm("snapshot", "verify", corpus.resolve("delta-parent.vmm"));
    String parentMemory = output().strip().replaceAll(".* ", "");

    assertThat(vmm("inspect", "--json", delta)).isZero();
    String json = output();
    assertJson(json);
    assertThat(json)
        .contains("\"parentMemorySha256\" : \"" + parentMemory + "\"")
        .contains("\"layout\" : \"stream\"")
        .containsPattern("\"memorySha256\" : \"[0-9a-f]{64}\"");
    assertThat(vmm("inspect", delta)).isZero();
    assertThat(output())
        .containsPattern("delta of +[0-9a-f-]{36}, memory " + parentMemory)
        .containsPattern("memory +[0-9a-f]{64} \\(stated\\)");
    assertThat(vmm("inspect", corpus.resolve("mapped.vmm"))).isZero();
    assertThat(output()).containsPattern("layout +mapped");
  }
}
