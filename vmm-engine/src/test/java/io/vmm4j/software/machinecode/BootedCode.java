package io.vmm4j.software.machinecode;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.engine.TestEngines;
import io.vmm4j.guests.GuestImages;
import io.vmm4j.software.ObservedSoftware;
import io.vmm4j.software.machinecode.verify.CodeContract;
import io.vmm4j.software.machinecode.verify.CodePiece;
import io.vmm4j.software.machinecode.verify.CodePiece.Link;
import io.vmm4j.software.machinecode.verify.CodeVerifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The machine code that is made while a Debian kernel boots to its shell and some commands run, on
 * an x86-64-v3 processor where the host has what its machine code is made of.
 *
 * @param pieces the code of the blocks that are not void, as it was before it was linked
 * @param exit where the way out lies in code memory
 * @param lookups where the stubs lie that look for targets, by mode
 * @param badLinks the linked jumps that do not lead to a block of their mode and page
 * @param links how many jumps were linked
 */
public record BootedCode(
    List<CodePiece> pieces, int exit, List<Integer> lookups, List<String> badLinks, int links) {
  private static final boolean VEX = MachineCode.hasVex();
  private static final CodeFeatures FEATURES = new CodeFeatures(true, VEX, VEX);
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";

  /** Boots. */
  public static BootedCode boot() {
    GuestImages images = GuestImages.required();
    ObservedSoftware backend = new ObservedSoftware();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software(io.vmm4j.api.Translation.REQUIRED))
            .memory(MemorySize.mebibytes(128))
            .cpuModel(VEX ? CpuModel.V3 : CpuModel.V2)
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.initrd())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", UartConfig.DEFAULT)
            .build();
    try (Vm vm = TestEngines.with(backend).create(spec)) {
      vm.resume();
      vm.console("com1").expect(PROMPT, PATIENCE);
      vm.console("com1")
          .sendLine("echo 1234 | sha256sum; awk 'BEGIN { print 2 ^ 0.5 }'; echo do''ne");
      vm.console("com1").expect("done", PATIENCE);
      vm.pause();
      return of(backend.machineCode());
    }
  }

  private static BootedCode of(MachineCode code) {
    Map<Integer, Translation> byEntry = new HashMap<>();
    for (Translation t : code.translations()) {
      byEntry.put(t.entry, t);
    }
    List<CodePiece> pieces = new ArrayList<>();
    List<String> bad = new ArrayList<>();
    int links = 0;
    for (Translation t : code.translations()) {
      if (!t.valid) {
        continue;
      }
      byte[] bytes = code.bytes(t.entry, t.bytes);
      CodePiece piece = t.piece(bytes);
      for (Link link : List.of(piece.taken(), piece.next())) {
        if (link.jump() == 0) {
          continue;
        }
        int at = link.jump() - t.entry;
        int target = link.jump() + 4 + Bytes.get32(bytes, at);
        if (target != link.exit()) {
          links++;
          Translation to = byEntry.get(target);
          if (to == null || !to.valid || to.mode != t.mode || !samePage(to, t)) {
            bad.add("%s to 0x%x".formatted(piece, target));
          }
          Bytes.put32(bytes, at, link.exit() - link.jump() - 4);
        }
      }
      pieces.add(piece);
    }
    List<Integer> lookups = new ArrayList<>();
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      lookups.add(code.stubs().lookup(mode));
    }
    return new BootedCode(pieces, code.stubs().exit, lookups, bad, links);
  }

  /** A verifier of code beside the same stubs. */
  public CodeVerifier verifier() {
    return new CodeVerifier(CodeCheck.contract(FEATURES), exit, lookups);
  }

  /** What code may touch. */
  public CodeContract contract() {
    return CodeCheck.contract(FEATURES);
  }

  private static boolean samePage(Translation a, Translation b) {
    return a.block.offset >>> 12 == b.block.offset >>> 12;
  }
}
