package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.machinecode.MachineCode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The programs that fuzzing has found, and some by chance, always the same. */
class CodeCorpusTest {
  private static final int PROGRAMS = Integer.getInteger("vmm4j.fuzz.programs", 120);
  private static final long SEED = Long.getLong("vmm4j.fuzz.seed", 1);
  private static final int MOST_BYTES = 300;

  @BeforeEach
  void translates() {
    assumeTrue(MachineCode.missing().isEmpty(), "no machine code here");
  }

  @Test
  void whatWasFoundIsMended() throws IOException, URISyntaxException {
    Path corpus =
        Path.of(Objects.requireNonNull(CodeCorpusTest.class.getResource("CodeFuzz")).toURI());
    List<Path> programs;
    try (Stream<Path> files = Files.list(corpus)) {
      programs = files.sorted().toList();
    }
    assertThat(programs).isNotEmpty();
    for (Path program : programs) {
      CodeFuzz.fuzzerTestOneInput(Files.readAllBytes(program));
    }
  }

  @Test
  void programsByChance() {
    for (int i = 0; i < PROGRAMS; i++) {
      Random random = new Random(SEED + i);
      byte[] program = new byte[4 + random.nextInt(MOST_BYTES)];
      random.nextBytes(program);
      try {
        CodeFuzz.fuzzerTestOneInput(program);
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + (SEED + i), e);
      }
    }
  }

  /** A difference would be noticed. */
  @Test
  void programsDoMoreThanFault() {
    // given programs by chance, run by the interpreter alone
    int halted = 0;
    long executed = 0;
    for (int i = 0; i < 100; i++) {
      Random random = new Random(i);
      byte[] data = new byte[MOST_BYTES];
      random.nextBytes(data);
      BareCpu machine = FuzzProgram.machine(FuzzProgram.of(data));
      new RunLoop(machine.cpu, new Interpreter(machine.cpu)).run(5_000);
      executed += machine.cpu.instructions;
      halted += machine.cpu.halted ? 1 : 0;
    }

    // then they get somewhere
    assertThat(executed).isGreaterThan(1_000);
    assertThat(halted).isPositive();
  }
}
