package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFileTest {
  @TempDir private Path directory;
  private final List<ServerSocketChannel> servers = new ArrayList<>();

  @AfterEach
  void closeServers() throws IOException {
    for (ServerSocketChannel server : servers) {
      server.close();
    }
  }

  private void listen(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    servers.add(server);
    server.bind(UnixDomainSocketAddress.of(path));
  }

  private static void connect(Path path) throws IOException {
    SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void onlyTheOwnerMayUseIt() throws IOException {
    // when
    List<String> modes = new ArrayList<>();
    SocketFile file =
        SocketFile.create(
            directory.resolve("control"),
            at -> {
              listen(at);
              modes.add(mode(at.getParent()));
            });

    // then
    assertThat(modes).as("of the directory where it is bound").containsExactly("rwx------");
    assertThat(mode(file.path())).isEqualTo("rw-------");
    connect(file.path());
    assertThat(files()).as("nothing else is left").containsExactly("control");
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void itIsGoneOnceDeleted() throws IOException {
    SocketFile file = SocketFile.create(directory.resolve("control"), this::listen);

    file.delete();
    file.delete();

    assertThat(files()).isEmpty();
  }

  @Test
  void aSocketOfADeadProcessIsReplaced() throws IOException {
    // given
    Path path = directory.resolve("control");
    listen(path);
    servers.getFirst().close();
    assertThat(path).exists();

    // when
    SocketFile.create(path, this::listen);

    // then
    connect(path);
    assertThat(files()).containsExactly("control");
  }

  @Test
  void aSocketInUseIsLeftAlone() throws IOException {
    Path path = directory.resolve("control");
    listen(path);

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(ControlException.InUse.class)
        .hasMessageContaining(path.toString());

    connect(path);
    assertThat(files()).containsExactly("control");
  }

  @Test
  void anotherFileIsLeftAlone() throws IOException {
    Path path = Files.writeString(directory.resolve("control"), "precious");

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("no socket");

    assertThat(path).hasContent("precious");
    assertThat(files()).containsExactly("control");
  }

  @Test
  void aSymbolicLinkIsNotFollowed() throws IOException {
    Path path = Files.createSymbolicLink(directory.resolve("control"), Path.of("elsewhere"));

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(ControlException.Socket.class);

    assertThat(files()).containsExactly("control");
  }

  @Test
  void itsSuccessorIsNotDeleted() throws IOException {
    // given
    Path path = directory.resolve("control");
    SocketFile first = SocketFile.create(path, this::listen);
    servers.getFirst().close();
    SocketFile.create(path, this::listen);

    // when
    first.delete();

    // then
    connect(path);
  }

  @Test
  void aDirectoryThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> SocketFile.create(directory.resolve("no/control"), this::listen))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("no such directory");
  }

  @Test
  void aPathThatIsTooLongIsRefused() throws IOException {
    Path deep = Files.createDirectory(directory.resolve("d".repeat(90)));

    assertThatThrownBy(() -> SocketFile.create(deep.resolve("control"), this::listen))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("too long by");
    assertThat(deep).isEmptyDirectory();
  }

  @Test
  void aFailureToBindLeavesNothing() throws IOException {
    assertThatThrownBy(() ->
            SocketFile.create(
                directory.resolve("control"),
                at -> {
                  throw new IOException("no luck");
                }))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("no luck");
    assertThat(files()).isEmpty();
  }
}
