package io.vmm4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vmm4j.snapshot.SnapshotDifference;
import java.io.IOException;
import java.util.List;

/** What differs between two snapshots, for programs. */
final class DifferenceJson {
  private final JsonGenerator json;

  private DifferenceJson(JsonGenerator json) {
    this.json = json;
  }

  static String of(SnapshotDifference difference) throws IOException {
    return JsonText.of(json -> new DifferenceJson(json).write(difference));
  }

  private void write(SnapshotDifference difference) throws IOException {
    json.writeStartObject();
    json.writeBooleanField("same", difference.isEmpty());
    fields("machine", difference.machine());
    json.writeArrayFieldStart("states");
    for (SnapshotDifference.State state : difference.states()) {
      json.writeStartObject();
      json.writeStringField("type", state.type());
      json.writeStringField("path", state.path());
      json.writeNumberField("versionA", state.firstVersion());
      json.writeNumberField("versionB", state.secondVersion());
      fields("fields", state.fields());
      json.writeEndObject();
    }
    json.writeEndArray();
    fields("mappings", difference.mappings());
    json.writeArrayFieldStart("memory");
    for (SnapshotDifference.Memory memory : difference.memory()) {
      memory(memory);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void fields(String name, List<SnapshotDifference.Field> fields) throws IOException {
    json.writeArrayFieldStart(name);
    for (SnapshotDifference.Field field : fields) {
      json.writeStartObject();
      json.writeStringField("field", field.name());
      if (field.first().isPresent()) {
        json.writeFieldName("a");
        JsonText.value(json, field.first().get());
      }
      if (field.second().isPresent()) {
        json.writeFieldName("b");
        JsonText.value(json, field.second().get());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void memory(SnapshotDifference.Memory memory) throws IOException {
    json.writeStartObject();
    json.writeStringField("region", memory.region());
    json.writeNumberField("bytesA", memory.firstBytes());
    json.writeNumberField("bytesB", memory.secondBytes());
    json.writeNumberField("differentPages", memory.differentPages());
    json.writeArrayFieldStart("ranges");
    for (SnapshotDifference.Range range : memory.ranges()) {
      json.writeStartObject();
      json.writeNumberField("offset", range.offset());
      json.writeNumberField("bytes", range.bytes());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
