package io.vmm4j.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.io.StringWriter;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** JSON as the commands print it. */
final class JsonText {

  /** What writes a document. */
  @FunctionalInterface
  interface Document {
    void write(JsonGenerator json) throws IOException;
  }

  private JsonText() {}

  /** A document with line breaks and indents, and a line end after it. */
  static String of(Document document) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.useDefaultPrettyPrinter();
      document.write(json);
    }
    return text.append('\n').toString();
  }

  /** The value of a field; bytes in hexadecimal. */
  static void value(JsonGenerator json, Object value) throws IOException {
    switch (value) {
      case Long n -> json.writeNumber(n);
      case Boolean b -> json.writeBoolean(b);
      case byte[] b -> json.writeString(HexFormat.of().formatHex(b));
      case List<?> list -> {
        json.writeStartArray();
        for (Object element : list) {
          value(json, element);
        }
        json.writeEndArray();
      }
      case FieldMap map -> {
        json.writeStartObject();
        for (Map.Entry<String, Object> field : map.asMap().entrySet()) {
          json.writeFieldName(field.getKey());
          value(json, field.getValue());
        }
        json.writeEndObject();
      }
      default -> json.writeString(value.toString());
    }
  }
}
