package io.vmm4j.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.vmm4j.control.protocol.Replies;
import io.vmm4j.socket.SocketFile;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Speaks to a {@link ControlServer}: one command after the other, each waiting for its reply.
 *
 * {@snippet :
 * try (ControlClient web = ControlClient.connect(Path.of("/run/user/1000/web.sock"))) {
 *   web.call("pause", Map.of());
 *   web.call("snapshot", Map.of("file", "/var/lib/web.vmm"));
 *   web.call("resume", Map.of());
 * }
 * }
 *
 * <p>Not safe for several threads, but the two directions of a console may be used by one each. An
 * interrupt of a thread that waits here ends the connection, and no other.
 */
public final class ControlClient implements AutoCloseable {
  private static final int MAX_LINE_BYTES = 1 << 20;
  private static final int BUFFER_BYTES = 1 << 16;
  private static final JsonFactory JSON = new JsonFactory();

  private final Path path;
  private final SocketChannel channel;
  private final InputStream in;
  private final OutputStream out;
  private final String machine;

  private ControlClient(Path path, SocketChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.in = new BufferedInputStream(Channels.newInputStream(channel), BUFFER_BYTES);
    this.out = Channels.newOutputStream(channel);
    Line greeting = Line.parse(path, line());
    if (greeting.refusal().isPresent()) {
      throw greeting.refusal().get();
    }
    if (greeting.version() != Replies.VERSION) {
      throw new ControlException.Socket(
          path,
          "it speaks version %d of the protocol, not %d"
              .formatted(greeting.version(), Replies.VERSION));
    }
    this.machine = greeting.machine();
  }

  /**
   * Connects.
   *
   * @throws ControlException.Socket if nobody listens there, or speaks another version
   * @throws ControlException.Refused if the server takes no more connections
   */
  public static ControlClient connect(Path path) throws IOException {
    Objects.requireNonNull(path, "path");
    try {
      SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
      try {
        return new ControlClient(path, channel);
      } catch (Throwable e) {
        channel.close();
        throw e;
      }
    } catch (ConnectException e) {
      throw new ControlException.Socket(path, nobodyListens(path), e);
    } catch (java.net.SocketException e) {
      throw new ControlException.Socket(
          path, Files.exists(path) ? String.valueOf(e.getMessage()) : "there is no such socket", e);
    }
  }

  /** To the operating system any file is a socket at which nobody listens. */
  private static String nobodyListens(Path path) throws IOException {
    try {
      return SocketFile.isSocket(path)
          ? "no machine listens there any more"
          : "there is another file, which is no socket";
    } catch (NoSuchFileException e) {
      return "there is no such socket"; // its server has removed it meanwhile
    }
  }

  /** The name of the machine. */
  public String machine() {
    return machine;
  }

  /**
   * Has a command done that has a single reply.
   *
   * @param fields of type {@link String}, {@link Boolean} or {@link Number}
   * @return the result, a JSON object over several lines
   * @throws ControlException.Refused if it could not be done
   * @throws IOException if the connection ends before the reply
   */
  public String call(String command, Map<String, ?> fields) throws IOException {
    Objects.requireNonNull(command, "command");
    Objects.requireNonNull(fields, "fields");
    send(command, fields);
    Line reply = Line.parse(path, line());
    if (reply.chunk() >= 0) {
      throw new ControlException.Socket(path, "a stream came that was not asked for");
    }
    return reply.resultOrThrow(path);
  }

  /**
   * Has a snapshot taken and sent here. When this returns, all of it has been written to the
   * stream, which is neither flushed nor closed.
   *
   * @throws ControlException.Refused if it could not be taken or sent; the stream may have a part
   * @throws IOException if the connection ends before the reply, or the stream fails
   */
  public String snapshotTo(OutputStream target) throws IOException {
    return snapshotTo(target, Map.of());
  }

  /**
   * The same with further fields of the request, such as {@code "live"}.
   *
   * @throws ControlException.Refused if it could not be taken or sent; the stream may have a part
   * @throws IOException if the connection ends before the reply, or the stream fails
   */
  public String snapshotTo(OutputStream target, Map<String, Object> fields) throws IOException {
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(fields, "fields");
    Map<String, Object> all = new LinkedHashMap<>(fields);
    all.put("stream", true);
    send("snapshot", all);
    byte[] buffer = new byte[BUFFER_BYTES];
    while (true) {
      Line line = Line.parse(path, line());
      if (line.chunk() < 0) {
        return line.resultOrThrow(path);
      }
      for (long left = line.chunk(); left > 0; ) {
        int read = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (read < 0) {
          throw cut();
        }
        target.write(buffer, 0, read);
        left -= read;
      }
    }
  }

  /**
   * Makes this connection the line of a console: {@link Console#output} gives what it said last and
   * says from now on, and ends with the machine. No command can follow.
   *
   * @param device the path of its device, such as {@code com1}
   */
  public Console console(String device) throws IOException {
    call("console", Map.of("device", Objects.requireNonNull(device, "device")));
    return new Console(in, new ConsoleInput());
  }

  /** What goes to the guest. Its end is passed on, and the other direction stays. */
  private final class ConsoleInput extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      if (channel.isOpen()) {
        channel.shutdownOutput();
      }
    }
  }

  /**
   * The two directions of a console.
   *
   * @param output what the guest writes
   * @param input what it is to read. To close it ends the line once all of it is passed on
   */
  public record Console(InputStream output, OutputStream input) {}

  /** Disconnects. A command under way goes on. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void send(String command, Map<String, ?> fields) throws IOException {
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(request)) {
      json.writeStartObject();
      json.writeStringField("command", command);
      for (Map.Entry<String, ?> field : fields.entrySet()) {
        json.writeFieldName(field.getKey());
        switch (field.getValue()) {
          case String text -> json.writeString(text);
          case Boolean flag -> json.writeBoolean(flag);
          case Number number -> json.writeNumber(number.longValue());
          default -> throw new IllegalArgumentException(field + ": no text, flag or number");
        }
      }
      json.writeEndObject();
    }
    request.write('\n');
    out.write(request.toByteArray());
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw cut();
      }
      if (line.size() == MAX_LINE_BYTES) {
        throw new ControlException.Socket(path, "a reply is longer than any can be");
      }
      line.write(next);
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  private IOException cut() {
    return new IOException("control socket " + path + ": the connection ended before the reply");
  }

  /** A line from the server, as far as it concerns a client. */
  private record Line(
      long version,
      String machine,
      long chunk,
      Optional<String> result,
      Optional<ControlException> refusal) {

    static Line parse(Path path, String text) {
      long version = -1;
      long chunk = -1;
      String machine = "";
      Optional<String> result = Optional.empty();
      Optional<ControlException> refusal = Optional.empty();
      try (JsonParser json = JSON.createParser(text)) {
        json.nextToken();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String name = json.currentName();
          json.nextToken();
          switch (name) {
            case Replies.GREETING -> version = json.getLongValue();
            case "machine" -> machine = json.getText();
            case "chunk" -> chunk = json.getLongValue();
            case "result" -> result = Optional.of(pretty(json));
            case "error" -> refusal = Optional.of(refused(json));
            default -> json.skipChildren();
          }
        }
      } catch (IOException e) {
        throw new ControlException.Socket(path, "what answers there is no control server", e);
      }
      return new Line(version, machine, chunk, result, refusal);
    }

    private static String pretty(JsonParser json) throws IOException {
      StringWriter text = new StringWriter();
      try (JsonGenerator copy = JSON.createGenerator(text)) {
        copy.setPrettyPrinter(new DefaultPrettyPrinter());
        copy.copyCurrentStructure(json);
      }
      return text.toString();
    }

    private static ControlException refused(JsonParser json) throws IOException {
      String type = "";
      String message = "";
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "type" -> type = json.getText();
          case "message" -> message = json.getText();
          default -> json.skipChildren();
        }
      }
      return new ControlException.Refused(type, message);
    }

    String resultOrThrow(Path path) {
      if (refusal.isPresent()) {
        throw refusal.get();
      }
      return result.orElseThrow(
          () -> new ControlException.Socket(path, "what answers there is no control server"));
    }
  }
}
