package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.software.cpu.VexEncodings.Encoding;
import io.vmm4j.software.machinecode.MachineCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every encoding with VEX that x86-64-v3 has, as machine code and by the interpreter. */
class VexMachineCodeTest {
  private static final CpuFeature[] V3 = CpuModel.V3.features().toArray(CpuFeature[]::new);
  private static final int CR4_OSXSAVE = 1 << 18;
  private static final int CR4_OSFXSR = 1 << 9;
  private static final int DATA = 0x9000;
  private static final int DATA_BYTES = 64;
  private static final int REG = 1;
  private static final int SECOND = 2;
  private static final int RM = 3; // in memory: at RBX

  /** How often a block is executed until it surely is translated. */
  private static final int ROUNDS = 3_000;

  @BeforeEach
  void translates() {
    assumeTrue(MachineCode.missing().isEmpty(), "no machine code here");
    assumeTrue(MachineCode.hasVex(), "the host lacks AVX2 or BMI");
  }

  private static BareCpu machine(long seed) {
    BareCpu bare = BareCpu.with(8, V3);
    Cpu cpu = bare.cpu;
    cpu.cr4 |= CR4_OSXSAVE | CR4_OSFXSR;
    cpu.xcr0 = 7;
    fill(bare, seed);
    return bare;
  }

  private static void fill(BareCpu bare, long seed) {
    Random random = new Random(seed);
    Cpu cpu = bare.cpu;
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = random.nextLong();
    }
    for (int i = 0; i < 32; i++) {
      cpu.fpu.xmm[i] = random.nextLong();
      cpu.fpu.ymmHigh[i] = random.nextLong();
    }
    for (int i = 0; i < DATA_BYTES; i += 8) {
      bare.put64(DATA + i, random.nextLong());
    }
    cpu.gpr[Cpu.RBX] = DATA;
    cpu.gpr[Cpu.RSP] = BareCpu.STACK;
    cpu.setArithmeticFlags(0);
  }

  private static int[] bytes(Encoding e) {
    int reg = e.extension() >= 0 ? e.extension() : REG;
    int second = e.hasSecond() ? SECOND : 0;
    List<Integer> code = new ArrayList<>();
    code.add(0xC4);
    code.add(0xE0 | e.opcode() >> 8);
    code.add((e.w() ? 0x80 : 0) | (second ^ 15) << 3 | (e.l() ? 4 : 0) | e.prefix());
    code.add(e.opcode() & 0xFF);
    if (e.opcode() != 0x177) {
      code.add((e.memory() ? 0 : 0xC0) | reg << 3 | RM);
    }
    if (e.hasImmediate()) {
      code.add(0x21);
    }
    code.add(0x90);
    code.add(0xF4);
    return code.stream().mapToInt(Integer::intValue).toArray();
  }

  private static String state(BareCpu bare) {
    Cpu cpu = bare.cpu;
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      text.append(
          "%x %x %x %x %x%n"
              .formatted(
                  cpu.gpr[i],
                  cpu.fpu.xmm[2 * i],
                  cpu.fpu.xmm[2 * i + 1],
                  cpu.fpu.ymmHigh[2 * i],
                  cpu.fpu.ymmHigh[2 * i + 1]));
    }
    for (int i = 0; i < DATA_BYTES; i += 4) {
      text.append("%x ".formatted(bare.get32(DATA + i)));
    }
    return text.append("flags %x, MXCSR %x".formatted(cpu.eflags(), cpu.fpu.simd.mxcsr()))
        .toString();
  }

  private static String name(Encoding e) {
    BareCpu bare = machine(0);
    bare.code(bytes(e));
    return bare.cpu.mmu.code().lookup(BareCpu.CODE).instructions[0].form.name();
  }

  @Test
  void machineCodeDoesWhatTheInterpreterDoes() {
    TreeSet<String> interpreted = new TreeSet<>();
    int translated = 0;
    for (Encoding e : VexEncodings.all(CpuModel.V3.features())) {
      if (e.hasIndices()) {
        continue; // their addresses are the differential suite's
      }
      BareCpu reference = machine(e.hashCode());
      reference.code(bytes(e));
      run(new RunLoop(reference.cpu, new Interpreter(reference.cpu)), reference.cpu);
      BareCpu bare = machine(e.hashCode());
      bare.code(bytes(e));
      try (MachineCode code = MachineCode.open(bare.host)) {
        RunLoop loop = new RunLoop(bare.cpu, code.runner(bare.cpu));
        for (int i = 0; i < ROUNDS && counted(code, "codeTranslations") == 0; i++) {
          run(loop, bare.cpu);
        }
        fill(bare, e.hashCode());
        bare.cpu.fpu.simd.mxcsr(0x1F80);
        long before = counted(code, "interpretedInstructions");
        run(loop, bare.cpu);

        assertThat(state(bare)).as("%s %s", name(e), e).isEqualTo(state(reference));
        if (counted(code, "interpretedInstructions") - before > 1) { // HLT is one
          interpreted.add(name(e));
        } else {
          translated++;
        }
      }
    }
    assertThat(interpreted)
        .containsExactly(
            "LDMXCSR",
            "MASKMOVDQU",
            "RCPPS",
            "RCPSS",
            "RSQRTPS",
            "RSQRTSS",
            "STMXCSR",
            "VMASKMOVPD",
            "VMASKMOVPS",
            "VPMASKMOVD",
            "VPMASKMOVQ");
    assertThat(translated).isGreaterThan(1_000);
  }

  private static void run(RunLoop loop, Cpu cpu) {
    cpu.rip = BareCpu.CODE;
    cpu.halted = false;
    loop.run(100);
    assertThat(cpu.halted).isTrue();
  }

  private static long counted(MachineCode code, String name) {
    Map<String, Long> counters = new LinkedHashMap<>();
    code.count(counters);
    return counters.get(name);
  }
}
