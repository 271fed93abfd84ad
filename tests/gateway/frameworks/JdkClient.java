import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** The JDK's own HTTP client, which offers HTTP/2 by an upgrade unless told not to; prints status and body of each response. */
public class JdkClient {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], key = arguments[1], body = arguments[2];
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/v1/embeddings"))
            .header("Authorization", "Bearer " + key)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
        show(client.send(request, text));
        IntStream.range(0, 8)
            .mapToObj(number -> client.sendAsync(request, text))
            .toList()
            .stream()
            .map(CompletableFuture::join)
            .forEach(JdkClient::show);
        HttpRequest health = HttpRequest.newBuilder(URI.create(url + "/v1/health/live")).build();
        show(client.send(health, text));
    }

    private static void show(HttpResponse<String> response) {
        System.out.println(response.statusCode() + " " + response.version() + " " + response.body());
    }
}
