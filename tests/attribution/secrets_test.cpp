#include "attribution/secrets.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "attribution/secret_names.hpp"

namespace gpukeeper {
namespace {

using Arguments = std::vector<std::string_view>;

struct Case {
  Arguments arguments;
  std::string_view shown;
};

// Every XYZZY must go; what is useful beside it should stay.
const Case kHidden[] = {
    {{"app", "--password", "XYZZY", "--epochs", "3"}, "app --password *** --epochs 3"},
    {{"app", "--password=XYZZY", "--epochs=3"}, "app --password=*** --epochs=3"},
    {{"app", "--password=XYZZY with blanks & more; XYZZY"}, "app --password=***"},
    {{"app", "-password", "XYZZY"}, "app -password ***"},
    {{"app", "--password", "-XYZZY"}, "app --password ***"},
    {{"app", "--password:XYZZY"}, "app --password:***"},
    {{"app", "--db-passwd=XYZZY"}, "app --db-passwd=***"},
    {{"app", "--dbPassword", "XYZZY"}, "app --dbPassword ***"},
    {{"app", "--db.pass=XYZZY"}, "app --db.pass=***"},
    {{"app", "--rootpass=XYZZY"}, "app --rootpass=***"},
    {{"app", "--token", "XYZZY"}, "app --token ***"},
    {{"app", "--token", "--password", "XYZZY"}, "app --token *** ***"},
    {{"app", "--api-key", "XYZZY"}, "app --api-key ***"},
    {{"app", "--api_key=XYZZY"}, "app --api_key=***"},
    {{"app", "--apiKey", "XYZZY"}, "app --apiKey ***"},
    {{"app", "--openai-apikey=XYZZY"}, "app --openai-apikey=***"},
    {{"app", "--secret-access-key=XYZZY"}, "app --secret-access-key=***"},
    {{"app", "--credentials", "XYZZY"}, "app --credentials ***"},
    {{"app", "--auth=user:XYZZY"}, "app --auth=***"},
    {{"app", "/password:XYZZY"}, "app /password:***"},
    {{"app", "--tokens=XYZZY"}, "app --tokens=***"},
    {{"jupyter-lab", "--NotebookApp.token=XYZZY"}, "jupyter-lab --NotebookApp.token=***"},
    {{"jupyter", "lab", "--IdentityProvider.token", "XYZZY"}, "jupyter lab --IdentityProvider.token ***"},
    {{"env", "HF_TOKEN=XYZZY", "python", "train.py"}, "env HF_TOKEN=*** python train.py"},
    {{"env", "MY_SECRET=XYZZY and XYZZY"}, "env MY_SECRET=***"},
    {{"env", "AWS_SECRET_ACCESS_KEY=XYZZY", "PGPASSWORD=XYZZY", "x"}, "env AWS_SECRET_ACCESS_KEY=*** PGPASSWORD=*** x"},
    {{"java", "-Ddb.password=XYZZY", "-jar", "a.jar"}, "java -Ddb.password=*** -jar a.jar"},
    {{"docker", "run", "-e", "WANDB_API_KEY=XYZZY", "image"}, "docker run -e WANDB_API_KEY=*** image"},
    {{"helm", "install", "--set", "a=1,auth.password=XYZZY"}, "helm install --set a=1,auth.password=***"},
    {{"app", "{\"user\": \"me\", \"password\": \"XYZZY\"}"}, "app {\"user\": \"me\", \"password\": ***"},
    {{"app", "{'api_key' : 'XYZZY'}"}, "app {'api_key' : ***"},
    {{"app", "{\\\"token\\\": \\\"XYZZY\\\"}"}, "app {\\\"token\\\": ***"},
    {{"app", "host=db port=5432 password=XYZZY XYZZY dbname=x"}, "app host=db port=5432 password=***"},
    {{"app", "Server=db;Uid=me;Pwd=XYZZY XYZZY;Database=x"}, "app Server=db;Uid=me;Pwd=***"},
    {{"app", "Protocol=https;AccountName=a;AccountKey=XYZZY=="}, "app Protocol=https;AccountName=a;AccountKey=***"},
    {{"python", "-c", "import os; os.environ['HF_TOKEN'] = 'XYZZY XYZZY'; run()"},
     "python -c import os; os.environ['HF_TOKEN'] = ***"},
    {{"python", "-c", "login(token='XYZZY')"}, "python -c login(token=***"},
    {{"psql", "-c", "ALTER USER me PASSWORD 'XYZZY XYZZY'"}, "psql -c ALTER USER me PASSWORD ***"},
    {{"mysql", "-e", "CREATE USER me IDENTIFIED BY 'XYZZY'"}, "mysql -e CREATE USER me IDENTIFIED ***"},
    {{"nmcli", "dev", "wifi", "connect", "home", "password", "XYZZY"}, "nmcli dev wifi connect home password ***"},
    // headers
    {{"curl", "-H", "Authorization: Bearer XYZZY", "https://a/b"}, "curl -H Authorization: *** https://a/b"},
    {{"curl", "-H", "Authorization:", "Bearer", "XYZZY"}, "curl -H Authorization: *** ***"},
    {{"curl", "-H", "x-api-key:XYZZY"}, "curl -H x-api-key:***"},
    {{"curl", "--header=Cookie: session=XYZZY"}, "curl --header=Cookie: ***"},
    {{"app", "Bearer", "XYZZY"}, "app Bearer ***"},
    // what only some programs mean
    {{"mysql", "-uroot", "-pXYZZY", "shop"}, "mysql -uroot -p*** shop"},
    {{"/usr/bin/mysqldump", "-pXYZZY"}, "/usr/bin/mysqldump -p***"},
    {{"sudo", "mysql", "-pXYZZY"}, "sudo mysql -p***"},
    {{"sshpass", "-p", "XYZZY", "ssh", "me@host"}, "sshpass -p *** ssh me@host"},
    {{"sshpass", "-pXYZZY", "ssh", "me@host"}, "sshpass -p*** ssh me@host"},
    {{"redis-cli", "-a", "XYZZY"}, "redis-cli -a ***"},
    {{"docker", "login", "-u", "me", "-p", "XYZZY"}, "docker login -u me -p ***"},
    {{"curl", "-u", "me:XYZZY", "https://a"}, "curl -u me:*** https://a"},
    {{"curl", "-ume:XYZZY", "https://a"}, "curl -ume:*** https://a"},
    {{"curl", "--user=me:XYZZY"}, "curl --user=me:***"},
    {{"smbclient", "-U", "me%XYZZY"}, "smbclient -U me%***"},
    {{"wandb", "login", "XYZZY"}, "wandb login ***"},
    {{"ldapsearch", "-w", "XYZZY", "-x"}, "ldapsearch -w *** -x"},
    {{"mongosh", "-u", "me", "-p", "XYZZY"}, "mongosh -u me -p ***"},
    // URLs
    {{"app", "postgres://me:XYZZY@db:5432/x"}, "app postgres://me:***@db:5432/x"},
    {{"app", "--db=postgres://me:XYZZY@db/x?a=b"}, "app --db=postgres://me:***@db/x?a=b"},
    {{"app", "redis://:XYZZY@cache:6379/0"}, "app redis://:***@cache:6379/0"},
    {{"app", "postgres://me:XYZZY@XYZZY@db/x"}, "app postgres://me:***@db/x"},
    {{"app", "postgres://me:XYZZY/XYZZY@db/x"}, "app postgres://me:***@db/x"},
    {{"git", "clone", "https://XYZZY@example.com/a"}, "git clone https://***@example.com/a"},
    {{"app", "a://u:XYZZY@h,b://u:XYZZY@h"}, "app a://u:***@h,b://u:***@h"},
    {{"app", "https://h/p?user=me&access_token=XYZZY&x=1"}, "app https://h/p?user=me&access_token=***"},
    {{"app", "https://h/p?X-Amz-Signature=XYZZY"}, "app https://h/p?X-Amz-Signature=***"},
    // text for a shell, and lines that are one argument
    {{"sh", "-c", "HF_TOKEN=XYZZY exec python train.py --epochs 3"},
     "sh -c HF_TOKEN=*** exec python train.py --epochs 3"},
    {{"bash", "-lc", "mysql --password='XYZZY XYZZY' -h db"}, "bash -lc mysql --password=*** -h db"},
    {{"bash", "-x", "-c", "mysql -u me -pXYZZY shop"}, "bash -x -c mysql -u me -p*** shop"},
    {{"sh", "-c", "app --token \"XYZZY XYZZY\" --fast"}, "sh -c app --token *** --fast"},
    {{"sh", "-c", "app --token XYZZY\\ XYZZY --fast"}, "sh -c app --token *** --fast"},
    {{"sh", "-c", "ssh host 'PASS=\"XYZZY XYZZY\" app'"}, "sh -c ssh host 'PASS=***"},
    {{"sh", "-c", "cat <<E\nit's\nE\nmysql --password='XYZZY XYZZY'"}, "sh -c cat <<E\nit's\nE\nmysql --password=***"},
    {{"sh", "-c", "send {\"api_key\" : \"XYZZY XYZZY\"}"}, "sh -c send {\"api_key\" : ***"},
    {{"server --password=XYZZY --port=1"}, "server --password=*** --port=1"},
    {{"server --api-key XYZZY worker 1"}, "server --api-key *** worker 1"},
};

TEST(SecretsTest, WhatLooksLikeASecretIsHidden) {
  for (const Case& each : kHidden) {
    const auto line = masked_command_line(each.arguments);
    EXPECT_EQ(line, each.shown);
    EXPECT_EQ(line.find("XYZZY"), std::string::npos) << line;
  }
}

TEST(SecretsTest, TokensAreKnownByTheirLook) {
  const std::string_view tokens[] = {
      "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345",
      "sk-proj-AbCdEfGhIjKlMnOpQrStUvWx",
      "sk-ant-api03-AbCdEfGhIjKl_MnOpQrStUvWx-AA",
      "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
      "github_pat_11AAAAAAA0AbCdEfGhIjKl_MnOpQr",
      "glpat-AbCdEfGhIjKlMnOpQrSt",
      "xoxb-123456789012-AbCdEfGhIjKl",
      "AKIAIOSFODNN7EXAMPLE",
      "AIzaSyAbCdEfGhIjKlMnOpQrStUvWxYz01234567",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AbCdEfGhIjKl_MnOp-QrSt",
      "nvapi-AbCdEfGhIjKlMnOpQrStUvWxYz",
      "r8_AbCdEfGhIjKlMnOpQrStUvWxYz01234567",
      "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
  };
  for (const auto token : tokens) {
    EXPECT_EQ(masked_command_line(Arguments{"app", token, "x"}), "app *** x");
    const auto assigned = "--from=" + std::string(token);
    EXPECT_EQ(masked_command_line(Arguments{"app", assigned}), "app --from=***");
    const auto quoted = "f('" + std::string(token) + "')";
    EXPECT_EQ(masked_command_line(Arguments{"app", quoted}).find(token), std::string::npos);
  }
}

const Case kShown[] = {
    {{"python", "train.py", "--tokenizer", "llama", "--max-tokens", "4096"},
     "python train.py --tokenizer llama --max-tokens 4096"},
    {{"vllm", "serve", "m", "--max_tokens=512", "--tokenizer-mode=auto"},
     "vllm serve m --max_tokens=512 --tokenizer-mode=auto"},
    {{"app", "--password-file", "/run/secrets/db", "--key-path=/etc/a"},
     "app --password-file /run/secrets/db --key-path=/etc/a"},
    {{"docker", "login", "--password-stdin", "host"}, "docker login --password-stdin host"},
    {{"docker", "run", "-p", "80:80", "image"}, "docker run -p 80:80 image"},
    {{"mysql", "-p", "shop"}, "mysql -p shop"},
    {{"ssh", "-p", "22", "me@host"}, "ssh -p 22 me@host"},
    {{"git", "clone", "ssh://git@example.com/a"}, "git clone ssh://git@example.com/a"},
    {{"app", "http://host:8080/a@b"}, "app http://host:8080/a@b"},
    {{"app", "http://[::1]:8080/"}, "app http://[::1]:8080/"},
    {{"env", "TOKENIZERS_PARALLELISM=false", "KEYBOARD=de", "COMPASS=north", "AUTHOR=me"},
     "env TOKENIZERS_PARALLELISM=false KEYBOARD=de COMPASS=north AUTHOR=me"},
    {{"sh", "-c", "it's"}, "sh -c it's"},
    {{"sk-learn", "task-force-of-very-many-people"}, "sk-learn task-force-of-very-many-people"},
    {{"bash"}, "bash"},
    {{"a", "", "b"}, "a  b"},
    {{}, ""},
};

TEST(SecretsTest, WhatIsNoSecretStays) {
  for (const Case& each : kShown) EXPECT_EQ(masked_command_line(each.arguments), each.shown);
}

TEST(SecretsTest, NamesOfSecrets) {
  for (const auto name : {"password", "PASSWORD", "--db-password", "dbPassword", "HF_TOKEN", "authtoken", "api_key",
                          "apiKey", "X-Api-Key", "SSHKEY", "private.key", "mypass", "--pwd", "Authorization",
                          "client_secret", "credentials", "cookie", "jwt"}) {
    EXPECT_TRUE(names_a_secret(name)) << name;
  }
  for (const auto name : {"", "--", "tokenizer", "--tokenizer-name", "keyboard", "monkey", "bypass", "author",
                          "passive", "password_file", "--token-path", "--password-stdin", "host", "compass"}) {
    EXPECT_FALSE(names_a_secret(name)) << name;
  }
}

}  // namespace
}  // namespace gpukeeper
