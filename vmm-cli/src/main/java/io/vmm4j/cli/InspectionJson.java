package io.vmm4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MemoryMakeUp;
import io.vmm4j.snapshot.Prologue;
import io.vmm4j.snapshot.SnapshotInspection;
import java.io.IOException;
import java.util.Locale;

/** What a snapshot holds, for programs. */
final class InspectionJson {
  private final JsonGenerator json;

  private InspectionJson(JsonGenerator json) {
    this.json = json;
  }

  static String of(SnapshotInspection inspection) throws IOException {
    return JsonText.of(json -> new InspectionJson(json).write(inspection));
  }

  private void write(SnapshotInspection inspection) throws IOException {
    json.writeStartObject();
    json.writeBooleanField("whole", inspection.whole());
    if (inspection.fault().isPresent()) {
      json.writeStringField("fault", inspection.fault().get().getMessage());
    }
    json.writeNumberField("bytes", inspection.bytes());
    if (inspection.digest().isPresent()) {
      json.writeStringField("sha256", inspection.digest().get().sha256());
      json.writeStringField("memorySha256", inspection.digest().get().memorySha256());
    }
    if (inspection.prologue().isPresent()) {
      prologue(inspection.prologue().get());
    }
    if (inspection.machine().isPresent()) {
      machine(inspection.machine().get());
    }
    chunks(inspection);
    memory(inspection);
    json.writeEndObject();
  }

  private void prologue(Prologue p) throws IOException {
    json.writeObjectFieldStart("snapshot");
    json.writeStringField("id", p.id().toString());
    json.writeStringField("format", p.major() + "." + p.minor());
    if (p.parent().isPresent()) {
      json.writeStringField("parent", p.parent().get().id().toString());
      json.writeStringField("parentMemorySha256", p.parent().get().sha256());
    }
    json.writeStringField("producer", p.producer());
    json.writeStringField("producerVersion", p.producerVersion());
    json.writeStringField("created", p.created().toString());
    json.writeStringField("layout", p.layout().name().toLowerCase(Locale.ROOT));
    json.writeArrayFieldStart("features");
    for (String feature : p.features()) {
      json.writeString(feature);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void machine(MachineDescription m) throws IOException {
    json.writeObjectFieldStart("machine");
    json.writeStringField("name", m.name());
    json.writeNumberField("memoryBytes", m.memoryBytes());
    json.writeNumberField("cpus", m.cpus());
    json.writeStringField("board", m.board());
    json.writeStringField("clock", m.clock().name());
    json.writeNumberField("tscFrequencyHz", m.tscFrequencyHz());
    json.writeStringField("startTime", m.startTime().toString());
    json.writeStringField("backend", m.backend());
    json.writeArrayFieldStart("devices");
    for (MachineDescription.Device device : m.devices()) {
      json.writeStartObject();
      json.writeStringField("path", device.path());
      json.writeStringField("type", device.type());
      json.writeNumberField("configVersion", device.configVersion());
      json.writeFieldName("config");
      JsonText.value(json, device.config());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void chunks(SnapshotInspection inspection) throws IOException {
    json.writeNumberField("memoryChunks", inspection.memoryChunks());
    json.writeArrayFieldStart("chunks");
    for (SnapshotInspection.Chunk chunk : inspection.chunks()) {
      json.writeStartObject();
      json.writeStringField("kind", chunk.kind());
      json.writeStringField("type", chunk.type());
      json.writeStringField("path", chunk.path());
      json.writeNumberField("version", chunk.version());
      json.writeBooleanField("critical", chunk.critical());
      json.writeNumberField("offset", chunk.offset());
      json.writeNumberField("bodyBytes", chunk.bodyBytes());
      if (chunk.fields().isPresent()) {
        json.writeFieldName("fields");
        JsonText.value(json, chunk.fields().get());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void memory(SnapshotInspection inspection) throws IOException {
    json.writeArrayFieldStart("memory");
    for (MemoryMakeUp region : inspection.memory()) {
      json.writeStartObject();
      json.writeStringField("region", region.region());
      json.writeNumberField("totalBytes", region.totalBytes());
      json.writeNumberField("zeroBytes", region.zeroBytes());
      json.writeNumberField("fillBytes", region.fillBytes());
      json.writeNumberField("dataBytes", region.dataBytes());
      json.writeNumberField("storedBytes", region.storedBytes());
      json.writeNumberField("blocks", region.blocks());
      json.writeNumberField("compressedBlocks", region.compressedBlocks());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
