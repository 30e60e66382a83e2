// The API's documentation page: Swagger UI over our own OpenAPI document.

window.SwaggerUIBundle({
  url: document.getElementById("swagger").dataset.openapi,
  dom_id: "#swagger",
  validatorUrl: null,
  deepLinking: true,
});
