package io.vmm4j.api.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A vCPU's state as text, for messages. Safe for use from any thread. */
public final class CpuStateText {
  private static final String[] NAMES = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"
  };
  private static final int EFER = 0xC000_0080;
  private static final long LMA = 1 << 10;
  private static final long VM86 = 1 << 17;

  private CpuStateText() {}

  /** Returns one line: where it is and what it does. */
  public static String summary(int index, CpuState cpu) {
    return "vcpu/%d: %s in %s mode at cs:rip %04x:%x, rflags %x, cr3 %x"
        .formatted(
            index,
            cpu.activity().name().toLowerCase(Locale.ROOT),
            mode(cpu),
            cpu.cs().selector(),
            cpu.rip(),
            cpu.rflags(),
            cpu.cr3());
  }

  /** Returns the summary and all registers, in several lines. */
  public static String full(int index, CpuState cpu) {
    StringBuilder text = new StringBuilder(summary(index, cpu)).append('\n');
    for (int i = 0; i < NAMES.length; i++) {
      text.append("%s %016x%s".formatted(NAMES[i], cpu.gpr()[i], i % 4 == 3 ? "\n" : "  "));
    }
    Map.of(
            "es",
            cpu.es(),
            "cs",
            cpu.cs(),
            "ss",
            cpu.ss(),
            "ds",
            cpu.ds(),
            "fs",
            cpu.fs(),
            "gs",
            cpu.gs(),
            "ldtr",
            cpu.ldtr(),
            "tr",
            cpu.tr())
        .entrySet()
        .stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> text.append(segment(e.getKey(), e.getValue())));
    text.append(
        "gdtr %x+%x  idtr %x+%x\n"
            .formatted(
                cpu.gdtr().base(), cpu.gdtr().limit(), cpu.idtr().base(), cpu.idtr().limit()));
    text.append(
        "cr0 %x  cr2 %x  cr3 %x  cr4 %x  efer %x  dr6 %x  dr7 %x\n"
            .formatted(
                cpu.cr0(),
                cpu.cr2(),
                cpu.cr3(),
                cpu.cr4(),
                cpu.msr(EFER),
                cpu.dr()[4],
                cpu.dr()[5]));
    return text.append(events(cpu.events())).append('\n').toString();
  }

  /** What waits or is held back at the next instruction, in words. */
  private static String events(PendingEvents events) {
    List<String> parts = new ArrayList<>();
    if (events.exceptionVector() >= 0) {
      parts.add(
          events.exceptionHasErrorCode()
              ? "exception %d with error code 0x%x"
                  .formatted(events.exceptionVector(), events.exceptionErrorCode())
              : "exception " + events.exceptionVector());
    }
    if (events.interruptVector() >= 0) {
      parts.add("interrupt 0x%x".formatted(events.interruptVector()));
    }
    add(parts, events.nmiPending(), "an NMI");
    add(parts, events.initPending(), "an INIT message");
    if (events.startupVector() >= 0) {
      parts.add("a start-up message with vector 0x%x".formatted(events.startupVector()));
    }
    add(parts, events.nmiBlocked(), "NMIs are blocked until IRET");
    add(parts, events.shadowSti(), "in the shadow of STI");
    add(parts, events.shadowMovSs(), "in the shadow of MOV SS");
    return parts.isEmpty() ? "no events pending" : "events: " + String.join(", ", parts);
  }

  private static void add(List<String> parts, boolean holds, String what) {
    if (holds) {
      parts.add(what);
    }
  }

  private static String segment(String name, SegmentState s) {
    return "%-4s %04x  base %016x  limit %08x  attributes %05x\n"
        .formatted(name, s.selector(), s.base(), s.limit(), s.attributes());
  }

  private static String mode(CpuState cpu) {
    if ((cpu.cr0() & 1) == 0) {
      return "real";
    }
    if ((cpu.msr(EFER) & LMA) != 0) {
      return (cpu.cs().attributes() & 1 << 13) != 0 ? "64-bit" : "compatibility";
    }
    return (cpu.rflags() & VM86) != 0 ? "virtual-8086" : "protected";
  }
}
