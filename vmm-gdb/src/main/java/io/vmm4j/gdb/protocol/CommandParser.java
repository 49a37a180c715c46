package io.vmm4j.gdb.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads packets. Whatever comes gives a command, if only {@link Command.Malformed}. */
final class CommandParser {
  private static final int MOST_FEATURES = 100;

  private CommandParser() {}

  static Command parse(byte[] payload) {
    // One character a byte, so that places in the text are places in the packet.
    String text = new String(payload, StandardCharsets.ISO_8859_1);
    try {
      return text.isEmpty() ? new Command.Unknown() : command(text, payload);
    } catch (IllegalArgumentException e) {
      return new Command.Malformed(String.valueOf(e.getMessage()));
    }
  }

  private static Command command(String text, byte[] payload) {
    String rest = text.substring(1);
    return switch (text.charAt(0)) {
      case '?' -> new Command.WhyStopped();
      case 'g' -> new Command.ReadRegisters();
      case 'G' -> new Command.WriteRegisters(bytes(rest));
      case 'p' -> new Command.ReadRegister(count(rest));
      case 'P' -> {
        String[] parts = split(rest, '=');
        yield new Command.WriteRegister(count(parts[0]), bytes(parts[1]));
      }
      case 'm' -> {
        String[] parts = split(rest, ',');
        yield new Command.ReadMemory(address(parts[0]), count(parts[1]));
      }
      case 'M', 'X' -> write(text, payload);
      case 'c' -> rest.isEmpty() ? new Command.Continue() : new Command.Unknown();
      case 's' -> rest.isEmpty() ? new Command.Step() : new Command.Unknown();
      case 'C' -> rest.indexOf(';') < 0 ? new Command.Continue() : new Command.Unknown();
      case 'S' -> rest.indexOf(';') < 0 ? new Command.Step() : new Command.Unknown();
      case 'Z' -> breakpoint(true, rest);
      case 'z' -> breakpoint(false, rest);
      case 'H' -> select(rest);
      case 'T' -> new Command.IsAlive(thread(rest));
      case 'D' -> new Command.Detach();
      case 'k' -> new Command.Kill(false);
      case 'q', 'Q' -> query(text);
      case 'v' -> verbose(text);
      default -> new Command.Unknown();
    };
  }

  private static Command write(String text, byte[] payload) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("no ':'");
    }
    String[] parts = split(text.substring(1, colon), ',');
    byte[] bytes =
        text.charAt(0) == 'X'
            ? Arrays.copyOfRange(payload, colon + 1, payload.length)
            : bytes(text.substring(colon + 1));
    if (bytes.length != count(parts[1])) {
      throw new IllegalArgumentException("the length is not that of the data");
    }
    return new Command.WriteMemory(address(parts[0]), bytes);
  }

  private static Command breakpoint(boolean set, String rest) {
    // Conditions and commands may follow a ';': they are never offered, so never meant for us.
    String[] parts = rest.split(";", 2)[0].split(",", -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException("three parts are wanted");
    }
    int type = count(parts[0]);
    return type > 4
        ? new Command.Unknown()
        : new Command.ChangeBreakpoint(set, type, address(parts[1]), count(parts[2]));
  }

  private static Command select(String rest) {
    if (rest.isEmpty()) {
      throw new IllegalArgumentException("no operation");
    }
    int thread = thread(rest.substring(1));
    return switch (rest.charAt(0)) {
      case 'g' -> new Command.SelectThread(thread);
      case 'c' -> new Command.SelectStepThread(thread);
      default -> new Command.Unknown();
    };
  }

  private static Command query(String text) {
    String name = text.split("[:,;]", 2)[0];
    String rest = text.substring(Math.min(name.length() + 1, text.length()));
    return switch (name) {
      case "qSupported" -> new Command.Supported(features(rest));
      case "qXfer" -> transfer(rest);
      case "qfThreadInfo" -> new Command.FirstThreads();
      case "qsThreadInfo" -> new Command.MoreThreads();
      case "qThreadExtraInfo" -> new Command.DescribeThread(thread(rest));
      case "qC" -> new Command.CurrentThread();
      case "qAttached" -> new Command.IsAttached();
      case "QStartNoAckMode" -> new Command.NoAcknowledgements();
      case "qRcmd" -> new Command.Monitor(new String(bytes(rest), StandardCharsets.UTF_8));
      default -> new Command.Unknown();
    };
  }

  private static Map<String, String> features(String list) {
    Map<String, String> features = new LinkedHashMap<>();
    for (String feature : list.split(";", MOST_FEATURES)) {
      if (feature.indexOf('=') > 0) {
        String[] parts = split(feature, '=');
        features.put(parts[0], parts[1]);
      } else if (feature.length() > 1) {
        int last = feature.length() - 1;
        features.put(feature.substring(0, last), feature.substring(last));
      }
    }
    return features;
  }

  private static Command transfer(String rest) {
    String[] parts = rest.split(":", -1);
    if (parts.length != 4 || !parts[0].equals("features") || !parts[1].equals("read")) {
      return new Command.Unknown();
    }
    String[] range = split(parts[3], ',');
    return new Command.ReadFeatures(parts[2], count(range[0]), count(range[1]));
  }

  private static Command verbose(String text) {
    String name = text.split("[;:]", 2)[0];
    return switch (name) {
      case "vCont?" -> new Command.AboutContinue();
      case "vCont" -> resume(text.substring(name.length()));
      case "vKill" -> new Command.Kill(true);
      default -> new Command.Unknown();
    };
  }

  private static Command resume(String text) {
    String[] list = text.split(";", -1);
    if (list.length < 2) {
      throw new IllegalArgumentException("no action");
    }
    List<Command.Resume.Action> actions = new ArrayList<>();
    for (int i = 1; i < list.length; i++) {
      String[] parts = list[i].split(":", 2);
      String action = parts[0];
      if (!action.matches("[cs]|[CS][0-9a-fA-F]{2}")) {
        throw new IllegalArgumentException("an action that was not offered");
      }
      actions.add(
          new Command.Resume.Action(
              Character.toLowerCase(action.charAt(0)) == 's',
              parts.length > 1 ? thread(parts[1]) : Command.ALL));
    }
    return new Command.Resume(List.copyOf(actions));
  }

  // ---- parts ----

  private static String[] split(String text, char separator) {
    int at = text.indexOf(separator);
    if (at < 0) {
      throw new IllegalArgumentException("no '" + separator + "'");
    }
    return new String[] {text.substring(0, at), text.substring(at + 1)};
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  private static long address(String hex) {
    return HexFormat.fromHexDigitsToLong(hex);
  }

  private static int count(String hex) {
    int value = HexFormat.fromHexDigits(hex);
    if (value < 0) {
      throw new IllegalArgumentException("a number is too large");
    }
    return value;
  }

  private static int thread(String hex) {
    return hex.equals("-1") ? Command.ALL : count(hex);
  }
}
