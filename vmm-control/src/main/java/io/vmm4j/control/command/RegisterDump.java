package io.vmm4j.control.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import java.io.IOException;
import java.util.Locale;

/** A vCPU's registers, as texts in hexadecimal: JSON's numbers end at 2^53 for many readers. */
record RegisterDump(CpuState cpu) {
  private static final String[] GENERAL = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };
  private static final String[] DEBUG = {"dr0", "dr1", "dr2", "dr3", "dr6", "dr7"};

  void writeTo(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("activity", cpu.activity().name().toLowerCase(Locale.ROOT));
    hex(json, "rip", cpu.rip());
    hex(json, "rflags", cpu.rflags());
    for (int i = 0; i < GENERAL.length; i++) {
      hex(json, GENERAL[i], cpu.gpr()[i]);
    }
    hex(json, "cr0", cpu.cr0());
    hex(json, "cr2", cpu.cr2());
    hex(json, "cr3", cpu.cr3());
    hex(json, "cr4", cpu.cr4());
    for (int i = 0; i < DEBUG.length; i++) {
      hex(json, DEBUG[i], cpu.dr()[i]);
    }
    hex(json, "xcr0", cpu.xcr0());
    hex(json, "tsc", cpu.tsc());
    segment(json, "es", cpu.es());
    segment(json, "cs", cpu.cs());
    segment(json, "ss", cpu.ss());
    segment(json, "ds", cpu.ds());
    segment(json, "fs", cpu.fs());
    segment(json, "gs", cpu.gs());
    segment(json, "ldtr", cpu.ldtr());
    segment(json, "tr", cpu.tr());
    table(json, "gdtr", cpu.gdtr());
    table(json, "idtr", cpu.idtr());
    json.writeObjectFieldStart("msrs");
    for (MsrState msr : cpu.msrs()) {
      hex(json, "0x" + Integer.toHexString(msr.index()), msr.value());
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void segment(JsonGenerator json, String name, SegmentState segment)
      throws IOException {
    json.writeObjectFieldStart(name);
    hex(json, "selector", segment.selector());
    hex(json, "base", segment.base());
    hex(json, "limit", segment.limit());
    hex(json, "attributes", segment.attributes());
    json.writeEndObject();
  }

  private static void table(JsonGenerator json, String name, TableState table) throws IOException {
    json.writeObjectFieldStart(name);
    hex(json, "base", table.base());
    hex(json, "limit", table.limit());
    json.writeEndObject();
  }

  private static void hex(JsonGenerator json, String name, long value) throws IOException {
    json.writeStringField(name, "0x" + Long.toHexString(value));
  }
}
