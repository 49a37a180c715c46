package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.software.machinecode.EagerCode;
import io.vmm4j.software.machinecode.MachineCode;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Instructions that leave flags undefined leave the same ones as machine code as by the
 * interpreter, whatever the host's processor makes of them: a run is the same on every tier.
 */
class UndefinedFlagsOfTiersTest {
  private static final int VALUES = 300;
  private static final int[] TELLING = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 0x80, 0xFF};

  @BeforeEach
  void translates() {
    assumeTrue(MachineCode.missing().isEmpty(), "no machine code here");
  }

  private static BareCpu machine(byte[] code) {
    BareCpu machine = BareCpu.with(8, CpuModel.V3.features().toArray(CpuFeature[]::new));
    int[] bytes = new int[code.length];
    for (int i = 0; i < code.length; i++) {
      bytes[i] = code[i] & 0xFF;
    }
    machine.code(bytes);
    return machine;
  }

  private static long value(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> TELLING[random.nextInt(TELLING.length)];
      case 1 -> 1L << random.nextInt(64);
      case 2 -> -1L >>> random.nextInt(64);
      case 3 -> random.nextInt();
      default -> random.nextLong();
    };
  }

  private static String run(BareCpu machine, RunLoop loop, long seed) {
    Random random = new Random(seed);
    Cpu cpu = machine.cpu;
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = value(random);
    }
    cpu.gpr[Cpu.RSP] = BareCpu.STACK;
    cpu.gpr[Cpu.RBX] = 0x9000;
    machine.put64(0x9000, value(random));
    cpu.setArithmeticFlags(random.nextInt() & Flags.ARITHMETIC);
    cpu.rip = BareCpu.CODE;
    cpu.halted = false;
    loop.run(100);
    return "rax %x rcx %x rdx %x rsi %x flags %x memory %x rip %x"
        .formatted(
            cpu.gpr[Cpu.RAX],
            cpu.gpr[Cpu.RCX],
            cpu.gpr[Cpu.RDX],
            cpu.gpr[Cpu.RSI],
            cpu.eflags(),
            machine.get32(0x9000),
            cpu.rip);
  }

  /** Each is an instruction without its last bytes, which follow: ModRM or the count. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "d3e6",
        "48d3e6",
        "66d3e6",
        "d2e6", // SHL by CL
        "d3ee",
        "48d3ee",
        "66d3ee",
        "d2ee", // SHR
        "d3fe",
        "48d3fe",
        "66d3fe",
        "d2fe", // SAR
        "d3c6",
        "48d3c6",
        "66d3ce",
        "d2ce", // ROL, ROR
        "d3d6",
        "48d3de", // RCL, RCR
        "c1e6",
        "48c1e6",
        "c1ee",
        "48c1ee",
        "c1fe",
        "48c1fe",
        "66c1e6",
        "c0e1",
        "c0e9",
        "c123",
        "48c12b",
        "c1c6",
        "48c1ce",
        "c1d6",
        "0fa5d6",
        "480fa5d6",
        "660fa5d6",
        "0fadd6",
        "480fadd6",
        "4d0fa5d8",
        "4c0fadd0",
        "0fa4d6",
        "480fa4d6",
        "0facd6",
        "480facd6",
        "4d0fa4d8",
        "4c0facd0",
        "f7e6",
        "48f7e6",
        "f6e6",
        "66f7e6",
        "f7ee",
        "48f7ee",
        "0fafd6",
        "480fafd6",
        "6bd6",
        "f7f6",
        "48f7f6",
        "f7fe",
        "48f7fe",
        "f6f6",
        "0fbcd6",
        "480fbcd6",
        "0fbdd6",
        "480fbdd6",
        "f30fbcd6",
        "f3480fbdd6",
        "0fa3d6",
        "480fabd6",
        "0fbae6",
        "480fbaee",
        "21d6",
        "09d6",
        "31d6",
        "85d6",
        "83e6",
        "f30fb8d6",
        "f7de",
        "0fb1d6",
        "480fc1d6",
        "c4e268f2d6",
        "c4e248f3ce",
        "c4e248f3d6",
        "c4e248f3de",
        "c4e268f5d6",
        "c4e268f7d6",
        "c4e2e8f5d6",
        "c4e2e8f7d6"
      })
  void areThoseOfTheInterpreter(String instruction) {
    List<byte[]> codes = codes(HexFormat.of().parseHex(instruction));
    Random random = new Random(instruction.hashCode());
    for (byte[] code : codes) {
      BareCpu reference = machine(code);
      RunLoop interpreter = new RunLoop(reference.cpu, new Interpreter(reference.cpu));
      BareCpu machine = machine(code);
      try (MachineCode made = EagerCode.open(machine.host)) {
        RunLoop translated = new RunLoop(machine.cpu, made.runner(machine.cpu));
        for (int i = 0; i < VALUES / codes.size() + 10; i++) {
          long seed = random.nextLong();
          assertThat(run(machine, translated, seed))
              .as("%s, seed %d", HexFormat.of().formatHex(code), seed)
              .isEqualTo(run(reference, interpreter, seed));
        }
      }
    }
  }

  /** With each immediate that tells, where there is one, and NOP behind. */
  private static List<byte[]> codes(byte[] instruction) {
    Cpu cpu = machine(append(instruction, 0x90, 0x90)).cpu;
    Instruction decoded = cpu.mmu.code().lookup(BareCpu.CODE).instructions[0];
    List<byte[]> codes = new ArrayList<>();
    if (decoded.length == instruction.length) {
      codes.add(append(instruction, 0x90, 0x90));
    } else {
      for (int immediate : TELLING) {
        codes.add(append(instruction, immediate, 0x90));
      }
    }
    return codes;
  }

  private static byte[] append(byte[] bytes, int... more) {
    byte[] all = new byte[bytes.length + more.length];
    System.arraycopy(bytes, 0, all, 0, bytes.length);
    for (int i = 0; i < more.length; i++) {
      all[bytes.length + i] = (byte) more[i];
    }
    return all;
  }
}
